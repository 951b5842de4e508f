/**
 * Cookie lines that were read before, each with what it came to: a browser sends the very same line with every request of
 * a page, and reading it anew and finding the session in it is 4 µs of 60. Keyed by the end of the session's seal (its tag:
 * 128 bits that nobody can choose), for what stands at the ends of a line is the same for everybody; the whole line is compared.
 */
export interface CookieLines<T> {
  /** `name`: of the session's cookie, or of its pieces but for their numbers. */
  get(line: string, name: string): T | undefined;
  set(line: string, name: string, value: T): void;
}

/** Lines of all together, in characters: those of a thousand browsers that are at work. */
const MOST = 2 * 1024 * 1024;
const KEY_LENGTH = 24;

interface Entry<T> {
  readonly line: string;
  readonly value: T;
}

export function createCookieLines<T>(most = MOST): CookieLines<T> {
  const entries = new Map<string, Entry<T>>();
  let length = 0;

  const drop = (key: string, { line }: Entry<T>): void => {
    entries.delete(key);
    length -= line.length;
  };

  return {
    get(line, name) {
      const entry = entries.get(keyOf(line, name));
      return entry !== undefined && entry.line === line ? entry.value : undefined;
    },
    set(line, name, value) {
      if (line.length > most) return;
      const own = copy(line);
      const key = copy(keyOf(own, name));
      const before = entries.get(key);
      if (before !== undefined) drop(key, before);
      entries.set(key, { line: own, value });
      length += own.length;
      // The oldest first; who is still at work comes back with the next request, for the price of one reading.
      for (const [oldest, entry] of entries) {
        if (length <= most) break;
        drop(oldest, entry);
      }
    },
  };
}

/** Of the first cookie whose name begins so. A wrong guess finds nothing, or an entry with another line. */
function keyOf(line: string, name: string): string {
  const at = line.indexOf(name);
  const semicolon = line.indexOf(';', Math.max(0, at));
  const end = semicolon < 0 ? line.length : semicolon;
  return line.slice(Math.max(0, end - KEY_LENGTH), end);
}

/** A slice would keep the whole head that it was cut from alive. */
const copy = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
