import { foldQueryName } from '../resources/query-matches.ts';
import type { QueryMatch } from '../resources/resource.ts';
import { getOrAdd } from './collections.ts';

/** Whether a request has what a Route asks of its query. `Ambiguous`: that depends on who reads it. */
export type QueryFit = 'Fits' | 'Differs' | 'Ambiguous';

/** Parameters of a query that are told apart; servers stop at 1000 or so, each at another number. */
const MOST_PARAMS = 512;
/** Those of one name, and those whose name can't be told: what a request may cost (invariant 7). */
const MOST_OF_ONE = 8;

interface ReadQuery {
  /** By folded name. */
  readonly byName: ReadonlyMap<string, readonly Reading[]>;
  /** Of which nobody can tell the name. */
  readonly nameless: readonly Reading[];
  readonly tooMany: boolean;
}

/** Read once for each request that meets a Route with query matches; the key is what the caller has of the request. */
const read = new WeakMap<{ readonly query: string }, ReadQuery>();

/**
 * All of `params`, against a query with its `?`, byte for byte as sent. Servers disagree about parameters that come twice,
 * `;` between them, `+`, case of names, `a[]`, broken escapes. So this looks at everything that some server could read:
 * where none of it is the value, the Route doesn't fit; where there is one reading and that is the value, it does; else
 * the request has to be refused, for whatever we decide, somebody behind us may read the other (A021).
 */
export function queryFit(params: readonly QueryMatch[], request: { readonly query: string }): QueryFit {
  let query = read.get(request);
  if (query === undefined) {
    query = readQuery(request.query);
    read.set(request, query);
  }
  let fit: QueryFit = 'Fits';
  for (const param of params) {
    const one = paramFit(param, query);
    if (one === 'Differs') return one;
    if (one === 'Ambiguous') fit = one;
  }
  return fit;
}

function paramFit({ name, value }: QueryMatch, { byName, nameless, tooMany }: ReadQuery): QueryFit {
  const named = byName.get(foldQueryName(name)) ?? NONE;
  if (tooMany || named.length > MOST_OF_ONE) return 'Ambiguous';
  const readings = nameless.length === 0 ? named : [...named, ...nameless];
  if (!readings.some((one) => one.mayBe(value)) && !isJoined(readings, value)) return 'Differs';
  const [only] = readings;
  return readings.length === 1 && only?.isSurely(name, value) === true ? 'Fits' : 'Ambiguous';
}

const NONE: readonly Reading[] = [];

/** Some servers make one value of several (ASP.NET: `a=1&a=2` is `1,2`). */
const isJoined = (readings: readonly Reading[], value: string): boolean =>
  readings.length > 1 && value.includes(',') && readings.some((one) => one.mayBegin(value));

function readQuery(query: string): ReadQuery {
  const byName = new Map<string, Reading[]>();
  const nameless: Reading[] = [];
  const parts = query.slice(1).split('&', MOST_PARAMS + 1);
  const tooMany = parts.length > MOST_PARAMS;
  for (const reading of tooMany ? [] : parts.flatMap(readingsOf)) {
    const name = decoded(reading.name.replace(/\+/g, ' '));
    if (name === undefined) nameless.push(reading);
    else for (const folded of namesOf(name)) getOrAdd(byName, folded, () => []).push(reading);
    if (nameless.length > MOST_OF_ONE) return { byName, nameless, tooMany: true };
  }
  return { byName, nameless, tooMany };
}

/** `a[]` and `a[x]` are `a` to some, `a[x` is `a_x` to PHP. */
function namesOf(name: string): ReadonlySet<string> {
  const bracket = name.indexOf('[', 1);
  return new Set([name, bracket < 0 ? name : name.slice(0, bracket)].map(foldQueryName));
}

/** What stands between two `&`; old servers part it at `;` too, and who looks for `[?&]name=` finds it behind a second `?`. */
function readingsOf(part: string): readonly Reading[] {
  if (!/[;?]/.test(part)) return part === '' ? NONE : [new Reading(part, true)];
  return [part, ...part.split(/[;?]/)].filter((one) => one !== '').map((one) => new Reading(one, false));
}

/** One parameter as some server might take it out of a query. */
class Reading {
  /** As sent. */
  readonly name: string;
  readonly #raw: string;
  readonly #plain: boolean;
  #values: readonly string[] | 'Unknown' | undefined;

  /** `plain`: everybody takes it out of the query in this way. */
  constructor(part: string, plain: boolean) {
    const mark = part.indexOf('=');
    this.name = mark < 0 ? part : part.slice(0, mark);
    this.#raw = mark < 0 ? '' : part.slice(mark + 1);
    this.#plain = plain && mark >= 0;
  }

  mayBe(value: string): boolean {
    const values = this.#read();
    return values === 'Unknown' || values.includes(value);
  }

  mayBegin(value: string): boolean {
    const values = this.#read();
    return values === 'Unknown' || values.some((one) => value.startsWith(one));
  }

  isSurely(name: string, value: string): boolean {
    const values = this.#read();
    return this.#plain && this.name === name && values !== 'Unknown' && values.every((one) => one === value);
  }

  #read(): readonly string[] | 'Unknown' {
    this.#values ??= valuesOf(this.#raw);
    return this.#values;
  }
}

/** Escapes of characters that nobody has to escape (RFC 3986 section 2.3). */
const NEEDLESS = /%(2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])/;

/** `+` is a blank to forms and itself to URLs; some decode nothing, which shows in what nobody has to escape. */
function valuesOf(raw: string): readonly string[] | 'Unknown' {
  if (!/[%+]/.test(raw)) return [raw];
  const value = decoded(raw);
  const asForm = decoded(raw.replace(/\+/g, ' '));
  if (value === undefined || asForm === undefined) return 'Unknown';
  return NEEDLESS.test(raw) ? [value, asForm, raw] : [value, asForm];
}

/** Undefined where escapes are broken, aren't UTF-8, or hide a control character, at which some end the text. */
function decoded(text: string): string | undefined {
  if (!text.includes('%')) return text;
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  try {
    const value = decodeURIComponent(text);
    return /\p{Cc}/u.test(value) ? undefined : value;
  } catch {
    return undefined;
  }
}
