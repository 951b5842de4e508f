import { DNS_LABEL, DNS_SUBDOMAIN } from './keys.ts';
import type { Identity } from './object-identity.ts';
import { own } from './plain.ts';
import { type Problem, problem } from './problem.ts';
import { invalidObject } from './read-spec.ts';
import type { Parsed, ReferenceGrantResource } from './resource.ts';

type From = ReferenceGrantResource['from'][number];
type To = ReferenceGrantResource['to'][number];

/** Gateway API bounds both lists to 16; more than this is none of its objects. */
const MAX_MEMBERS = 256;

/** Gateway API ReferenceGrant (v1beta1 and v1). One that can't be read whole grants nothing: what was meant to narrow it may be what is missing. */
export function parseReferenceGrant(identity: Identity): Parsed {
  const { key, name, meta, object } = identity;
  const problems = [...identity.problems];
  const from = readList(own(own(object, 'spec'), 'from'), 'from', readFrom, problems);
  const to = readList(own(own(object, 'spec'), 'to'), 'to', readTo, problems);
  if (problems.length > 0) return invalidObject(identity, problems, { kind: 'ReferenceGrant' });
  return { ok: true, value: { kind: 'ReferenceGrant', key, name, meta, from, to } };
}

function readList<T>(
  value: unknown,
  field: 'from' | 'to',
  read: (member: unknown) => T | undefined,
  problems: Problem[],
): readonly T[] {
  if (!Array.isArray(value) || value.length > MAX_MEMBERS) {
    problems.push(problem('Invalid', ['spec', field], 'must be a list'));
    return [];
  }
  const members: readonly unknown[] = value;
  return members.flatMap((member, at) => {
    const one = read(member);
    if (one === undefined) problems.push(problem('Invalid', ['spec', field, at], 'is no reference that can be read'));
    return one ?? [];
  });
}

function readFrom(member: unknown): From | undefined {
  const kinds = readKinds(member);
  const namespace = own(member, 'namespace');
  return kinds !== undefined && typeof namespace === 'string' && DNS_LABEL.test(namespace)
    ? { ...kinds, namespace }
    : undefined;
}

/** Without a name: every object of the kind. An empty one is no name that an object can have. */
function readTo(member: unknown): To | undefined {
  const kinds = readKinds(member);
  const name = own(member, 'name');
  if (kinds === undefined) return undefined;
  if (name === undefined) return { ...kinds, name };
  return typeof name === 'string' && DNS_SUBDOMAIN.test(name) ? { ...kinds, name } : undefined;
}

/** The core group is written as an empty text. */
function readKinds(member: unknown): { readonly group: string; readonly kind: string } | undefined {
  const group = own(member, 'group');
  const kind = own(member, 'kind');
  return typeof group === 'string' && typeof kind === 'string' ? { group, kind } : undefined;
}
