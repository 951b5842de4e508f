import type { Publication } from '../../control/control.ts';
import type { Parsed } from '../../resources/resource.ts';
import type { ParsedChange } from '../../routing/changes.ts';

/** `namespace/name` of all objects that labels may name, valid or not. */
export interface ObjectNames {
  /** With the names of their rules. */
  readonly routes: ReadonlyMap<string, ReadonlySet<string>>;
  readonly services: ReadonlySet<string>;
}

/**
 * Tells names where they are others than at the call before, and undefined otherwise: with 10,000 Routes most changes
 * change none, and all that hangs on them takes longer than a request may wait.
 */
export function objectNames(): (publication: Pick<Publication, 'parsed'>) => ObjectNames | undefined {
  let told = false;
  return ({ parsed }) => {
    if (told && ![...parsed.changes].some(isRenaming)) return undefined;
    told = true;
    return namesOf(parsed.values());
  };
}

const isRenaming = ({ before, after }: ParsedChange): boolean => textOf(before) !== textOf(after);

/** What there is to be named of an object. */
function textOf(object: Parsed | undefined): string {
  const kind = object && kindOf(object);
  if (object === undefined || (kind !== 'Route' && kind !== 'Service')) return '';
  return JSON.stringify([kind, nameOf(object), rulesOf(object)]);
}

function namesOf(parsed: Iterable<Parsed>): ObjectNames {
  const routes = new Map<string, ReadonlySet<string>>();
  const services = new Set<string>();
  for (const object of parsed) {
    const kind = kindOf(object);
    if (kind === 'Route') routes.set(nameOf(object), rulesIn(object));
    else if (kind === 'Service') services.add(nameOf(object));
  }
  return { routes, services };
}

function rulesOf(object: Parsed): readonly string[] {
  const rules = object.ok && object.value.kind === 'Route' ? object.value.authorization?.rules : undefined;
  return rules === undefined ? NONE : rules.map(({ name }) => name);
}

/** Most Routes have none, and share it. */
function rulesIn(object: Parsed): ReadonlySet<string> {
  const rules = rulesOf(object);
  return rules.length === 0 ? NO_RULES : new Set(rules);
}

const NO_RULES: ReadonlySet<string> = new Set();
const NONE: readonly string[] = [];
const kindOf = (object: Parsed): string => (object.ok ? object.value.kind : object.claim.kind);
const nameOf = (object: Parsed): string => (object.ok ? object.value.name : object.name);
