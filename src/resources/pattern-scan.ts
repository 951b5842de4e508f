const CLASS = /\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]?/y;
const GROUP = /\((?:\?(?:P?<[^>]*>|[a-zA-Z-]*:?))?/y;
const COUNT = /\{(\d+)(,(\d*))?\}/y;

/**
 * About how many instructions a regular expression compiles to, at least as many as it really does, without compiling it.
 * Counted repetitions multiply what they stand behind: a few characters can mean a hundred thousand instructions.
 */
export function patternSize(text: string): number {
  /** Sizes of the groups that are open, outermost first. */
  const open: number[] = [];
  let whole = 3;
  /** Of what a repetition would repeat. */
  let atom = 0;
  let at = 0;
  const read = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at;
    return form.exec(text);
  };
  while (at < text.length) {
    let length = 1;
    switch (text[at]) {
      case '(': {
        length = read(GROUP)?.[0].length ?? 1;
        open.push(whole);
        // Where it ends and begins, if that is kept; one that is empty is an instruction too.
        whole = text.startsWith('(?:', at) ? 1 : 3;
        atom = 0;
        break;
      }
      case ')':
        atom = whole;
        whole += open.pop() ?? 0;
        break;
      case '|':
        whole += 2;
        atom = 0;
        break;
      case '*':
        // What may match nothing is repeated as one that may be left out.
        whole += 2;
        atom += 2;
        break;
      case '+':
      case '?':
        whole += 1;
        atom += 1;
        break;
      case '{': {
        const count = read(COUNT);
        length = count?.[0].length ?? 1;
        const all = count === null ? atom + 1 : repeated(atom, Number(count[1]), Number(count[3] ?? 0));
        whole += all - atom;
        atom = all;
        break;
      }
      case '[':
        length = read(CLASS)?.[0].length ?? 1;
        atom = 1;
        whole += 1;
        break;
      default:
        length = text[at] === '\\' ? 2 : 1;
        atom = 1;
        whole += 1;
    }
    at += length;
  }
  return open.reduce((sum, size) => sum + size, whole);
}

/** Each that may be left out needs an instruction for that. */
function repeated(atom: number, least: number, most: number): number {
  const times = Math.max(least, most, 1);
  return atom * times + Math.max(most - least, 0) + 1;
}

const LITERALS = /\^?((?:[A-Za-z0-9/_~%@:!&,;='"<>-]|\\[^A-Za-z0-9])*)/y;

/** What every path begins with that the regular expression matches; never more than that, maybe less. */
export function literalPrefix(text: string): string {
  if (hasOuterAlternative(text)) return '/';
  LITERALS.lastIndex = 0;
  const found = LITERALS.exec(text);
  if (found === null) return '';
  const literals = found[1] ?? '';
  // What comes next may be a repetition, also of none, of the last one.
  const kept = /[*+?{]/.test(text[found[0].length] ?? '') ? literals.replace(/\\?.$/, '') : literals;
  return kept.replace(/\\(.)/g, '$1');
}

function hasOuterAlternative(text: string): boolean {
  const bare = text.replace(/\\./g, '_').replace(/\[\^?\]?(?:\[:\^?[a-z]+:\]|[^\]])*\]/g, '');
  let depth = 0;
  for (const char of bare) {
    if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (char === '|' && depth === 0) return true;
  }
  return false;
}
