import { formatLimit, LIMITS, type LimitRule, limitConflicts } from '../proxy/limit-table.ts';
import { DEFAULT_LIMITS, derivedLimits, type LimitName, type ProxyLimits } from '../proxy/limits.ts';
import { parseDuration } from '../resources/duration.ts';
import { nearest } from '../resources/nearest.ts';
import { parseSize } from '../resources/size.ts';
import type { Reader } from './reader.ts';
import { listed, ok, type Reading } from './values.ts';

/** Of the listeners. */
export type Limits = ProxyLimits;

const NAMES: readonly string[] = Object.keys(LIMITS);

/** `--limits NAME=VALUE,...`: the defaults, with what is written; what is wrong goes to the reader's problems. */
export function readLimits(reader: Reader): Limits {
  const written = reader.value<readonly string[]>('limits', (text) => ok(listed(text)), []);
  const where = reader.where('limits') ?? '--limits';
  const set = new Map<LimitName, number>();
  const complain = (problem: string): void => {
    reader.problems.push(`${where}: ${problem}`);
  };
  for (const each of written) {
    const [name = '', text = ''] = each.split('=', 2);
    if (!isName(name)) {
      const meant = nearest(name, NAMES);
      complain(
        `there is no limit ${JSON.stringify(name)}${meant === undefined ? `; they are ${NAMES.join(', ')}` : `; did you mean ${meant}?`}`,
      );
      continue;
    }
    if (set.has(name)) complain(`${name} is there twice: write it once`);
    const read = readLimit(name, text);
    if (read.ok) set.set(name, read.value);
    else complain(`${each} can't be used: write ${read.write}`);
  }
  const derived = derivedLimits(set.get('connections') ?? DEFAULT_LIMITS.connections);
  const limits: ProxyLimits = { ...DEFAULT_LIMITS, ...derived, ...Object.fromEntries(set) };
  for (const conflict of limitConflicts(limits)) complain(conflict);
  return Object.freeze(limits);
}

const isName = (text: string): text is LimitName => Object.hasOwn(LIMITS, text);

/** One value of a limit; Infinity for `off` (0 for a rate, of which any is enough). */
function readLimit(name: LimitName, text: string): Reading<number> {
  const rule = LIMITS[name];
  if (text === 'off' && rule.off) return ok(rule.unit === 'Rate' ? 0 : Number.POSITIVE_INFINITY);
  const value = parse(rule, text);
  if (value !== undefined && value >= rule.least && value <= rule.most) return ok(value);
  const [least, most] = [formatLimit(name, rule.least), formatLimit(name, rule.most)];
  return { ok: false, write: `${WORDS[rule.unit]} from ${least} to ${most}${rule.off ? ', or off' : ''}` };
}

function parse({ unit }: LimitRule, text: string): number | undefined {
  switch (unit) {
    case 'Count':
      return /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
    case 'Size':
    case 'Rate':
      return parseSize(text);
    case 'Time':
      return parseDuration(text);
    case 'Share':
      return /^[0-9]{1,2}%$/.test(text) ? Number(text.slice(0, -1)) / 100 : undefined;
  }
}

const WORDS: Readonly<Record<LimitRule['unit'], string>> = {
  Count: 'a number',
  Size: 'a size, as in 64Ki,',
  Rate: 'bytes in a second, as in 1Ki,',
  Time: 'a duration, as in 10s,',
  Share: 'a percentage, as in 85%,',
};
