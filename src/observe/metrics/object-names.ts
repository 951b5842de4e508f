import type { Publication } from '../../control/control.ts';
import type { Parsed } from '../../resources/resource.ts';

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
  let before: ObjectNames | undefined;
  return ({ parsed }) => {
    if (before !== undefined && countKnown(parsed, before) === before.routes.size + before.services.size) {
      return undefined;
    }
    before = namesOf(parsed);
    return before;
  };
}

/** Routes and Services, as long as each is one that was there with the same rules; undefined: some isn't. */
function countKnown(parsed: readonly Parsed[], { routes, services }: ObjectNames): number | undefined {
  let count = 0;
  for (const object of parsed) {
    switch (kindOf(object)) {
      case 'Route': {
        const rules = routes.get(nameOf(object));
        if (rules === undefined || !hasRules(rules, object)) return undefined;
        count += 1;
        break;
      }
      case 'Service':
        if (!services.has(nameOf(object))) return undefined;
        count += 1;
        break;
      default:
    }
  }
  return count;
}

/** Of two rules of one name there is one in a set. */
function hasRules(known: ReadonlySet<string>, object: Parsed): boolean {
  const rules = rulesOf(object);
  return rules.length === known.size && rules.every((name) => known.has(name));
}

function namesOf(parsed: readonly Parsed[]): ObjectNames {
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
