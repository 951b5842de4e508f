import { API_VERSION, GATEWAY_GROUP } from './metadata.ts';
import { nearest } from './nearest.ts';
import { isPlain, own, type Plain } from './plain.ts';
import { type Problem, problem } from './problem.ts';
import { printable, unknownField } from './schema-problems.ts';

const FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
const SECRET_FIELDS = ['apiVersion', 'kind', 'metadata', 'type', 'immutable', 'data', 'stringData'];
export const METADATA_FIELDS = [
  'name',
  'namespace',
  'generateName',
  'labels',
  'annotations',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'finalizers',
  'managedFields',
  'selfLink',
];

/** What of other groups only a cluster has, and is of use to us there. */
export function borrowedKind(apiVersion: unknown, kind: unknown): 'CoreService' | 'ReferenceGrant' | undefined {
  if (apiVersion === 'v1' && kind === 'Service') return 'CoreService';
  const grant = apiVersion === `${GATEWAY_GROUP}/v1` || apiVersion === `${GATEWAY_GROUP}/v1beta1`;
  return grant && kind === 'ReferenceGrant' ? 'ReferenceGrant' : undefined;
}

const isBorrowed = (objectKind: string): boolean => objectKind === 'CoreService' || objectKind === 'ReferenceGrant';

/** What is wrong with an object outside of spec. */
export function headProblems(object: Plain, objectKind: string, metadata: unknown, nameReadable: boolean): Problem[] {
  const problems: Problem[] = [];
  // The schemas of others grow without us.
  if (isBorrowed(objectKind)) return nameReadable ? problems : [nameProblem()];
  const secret = own(object, 'apiVersion') === 'v1';
  if (!secret && own(object, 'apiVersion') !== API_VERSION)
    problems.push(problem('Invalid', ['apiVersion'], `this version of ${objectKind} is unknown; write ${API_VERSION}`));
  const fields = secret ? SECRET_FIELDS : FIELDS;
  for (const key of unknownKeys(object, fields))
    problems.push(problem('Invalid', [printable(key)], unknownField(key, fields)));
  // Servers add fields to metadata over the years, so only what is a slip of a known one is a problem.
  for (const key of unknownKeys(metadata, METADATA_FIELDS)) {
    if (nearest(key, METADATA_FIELDS) !== undefined)
      problems.push(problem('Invalid', ['metadata', printable(key)], unknownField(key, METADATA_FIELDS)));
  }
  if (!nameReadable) problems.push(nameProblem());
  return problems;
}

const nameProblem = (): Problem =>
  problem('Invalid', ['metadata', 'name'], 'must be the name of the object: a-z, 0-9, - and ., at most 253 characters');

const MAX_UNKNOWN = 16;

/** The first of the own fields that aren't among the known ones. */
export function unknownKeys(value: unknown, known: readonly string[]): readonly string[] {
  if (!isPlain(value)) return [];
  const unknown: string[] = [];
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    unknown.push(key);
    if (unknown.length === MAX_UNKNOWN) break;
  }
  return unknown;
}
