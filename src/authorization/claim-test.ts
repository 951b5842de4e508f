import { isPlain } from '../resources/plain.ts';
import { DISTRIBUTED } from './needs.ts';
import type { ClaimTest } from './policy.ts';

type Claims = Readonly<Record<string, unknown>>;

/** What is found at the end of a way into the claims. */
type Found =
  | { readonly kind: 'Absent' }
  /** `texts` of what can be compared; `complete` is false where something else is there too. */
  | {
      readonly kind: 'Values';
      readonly texts: ReadonlySet<string>;
      readonly complete: boolean;
      readonly said: boolean;
    };

/**
 * Whether a test holds. A string, number or boolean is compared as text (numbers and booleans as JSON writes them); a
 * list by its members.
 * - anyOf: at least one of the texts is there; allOf: each of them is. Neither holds where the claim is absent.
 * - noneOf: none of them is there. It does hold where the claim is absent, but not where the claim can't be read
 *   whole: an object, a list with one in it, a way that leads through something else, or a claim that the provider says
 *   is kept elsewhere. Who must have a claim asks for it with a second test.
 * - none of the three: the claim is there and isn't null, false, 0, empty, or the text `false`.
 */
export function claimHolds(test: ClaimTest, claims: Claims): boolean {
  const found = find(test.path, claims);
  if (found.kind === 'Absent') return test.noneOf !== undefined && test.anyOf === undefined && test.allOf === undefined;
  const has = (text: string): boolean => found.texts.has(text);
  if (test.anyOf === undefined && test.allOf === undefined && test.noneOf === undefined) return found.said;
  if (test.anyOf !== undefined && !test.anyOf.some(has)) return false;
  if (test.allOf !== undefined && !test.allOf.every(has)) return false;
  return test.noneOf === undefined || (found.complete && !test.noneOf.some(has));
}

const ABSENT: Found = { kind: 'Absent' };
const UNREADABLE: Found = { kind: 'Values', texts: new Set(), complete: false, said: false };

/** Own properties only: no claim is inherited, whatever its name (`constructor`, `__proto__`). */
function find(path: readonly string[], claims: Claims): Found {
  let here: unknown = claims;
  for (const [depth, name] of path.entries()) {
    if (here === undefined || here === null) return ABSENT;
    if (!isPlain(here)) return UNREADABLE;
    if (!Object.hasOwn(here, name)) return depth === 0 && keptElsewhere(name, claims) ? UNREADABLE : ABSENT;
    here = here[name];
  }
  return here === undefined || here === null ? ABSENT : valuesOf(here);
}

function keptElsewhere(name: string, claims: Claims): boolean {
  const names = Object.hasOwn(claims, DISTRIBUTED) ? claims[DISTRIBUTED] : undefined;
  return isPlain(names) && Object.hasOwn(names, name);
}

function valuesOf(value: unknown): Found {
  const members: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = new Set<string>();
  let complete = true;
  for (const member of members) {
    const text = textOf(member);
    if (text === undefined) complete = false;
    else texts.add(text);
  }
  return { kind: 'Values', texts, complete, said: saysSomething(value) };
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : undefined;
}

function saysSomething(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isPlain(value)) return Object.keys(value).length > 0;
  return value !== false && value !== 0 && value !== '' && value !== 'false';
}
