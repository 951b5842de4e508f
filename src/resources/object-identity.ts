import { DNS_LABEL, DNS_SUBDOMAIN, namespacedName, type ObjectKey, objectKey } from './keys.ts';
import { API_VERSION, DEFAULT_CLASS, GROUP, type Metadata } from './metadata.ts';
import { editDistance, nearest } from './nearest.ts';
import { borrowedKind, headProblems, METADATA_FIELDS, unknownKeys } from './object-head.ts';
import { isPlain, own, type Plain } from './plain.ts';
import { type FieldPath, type Problem, problem } from './problem.ts';
import { printable } from './schema-problems.ts';

export interface ParseOptions {
  /** The installation's class; objects of another one are not seen. */
  readonly class: string;
  /**
   * Namespace of what names none: `default` where objects come from files, undefined for an API server, which always
   * writes it. Files have no server that vouches for uid, generation and creationTimestamp, so they count as absent; and
   * they hold no core Services and ReferenceGrants that would mean anything, which a cluster does.
   */
  readonly defaultNamespace: string | undefined;
  /** Stands for a name that can't be read; best one that no object can have, such as `(unnamed)`. */
  readonly fallbackName: string;
}

export const FILES_OPTIONS: ParseOptions = {
  class: DEFAULT_CLASS,
  defaultNamespace: 'default',
  fallbackName: '(unnamed)',
};

/** What an object says it is. */
export interface Identity {
  readonly kind: 'Ours';
  /** Of our group the kind itself; besides `Secret`, `CoreService` and `ReferenceGrant`. */
  readonly objectKind: string;
  readonly key: ObjectKey;
  readonly name: ReturnType<typeof namespacedName>;
  readonly meta: Metadata;
  readonly object: Plain;
  /** `status` as it is, where an API server vouches for it; undefined in files mode. */
  readonly status: unknown;
  /** What is wrong outside of spec. */
  readonly problems: readonly Problem[];
}

export type Foreign = { readonly kind: 'Foreign' };
/** Of our group, as far as can be told, but not which object it is. */
export type Unreadable = { readonly kind: 'Unreadable'; readonly problem: Problem };

const FOREIGN: Foreign = { kind: 'Foreign' };
const unreadable = (path: FieldPath, message: string): Unreadable => ({
  kind: 'Unreadable',
  problem: problem('Invalid', path, message),
});

/** `kinds`: those of our group. */
export function readIdentity(
  value: unknown,
  kinds: readonly string[],
  options: ParseOptions,
): Identity | Foreign | Unreadable {
  if (value === undefined || value === null) return FOREIGN;
  if (!isPlain(value)) return unreadable([], 'is no object; write apiVersion, kind, metadata and spec');
  const kind = own(value, 'kind');
  const borrowed = options.defaultNamespace === undefined ? borrowedKind(own(value, 'apiVersion'), kind) : undefined;
  if (borrowed !== undefined) {
    const namespace = namespaceIn(value, options);
    return typeof namespace === 'string' ? identify(value, borrowed, namespace, options) : namespace;
  }
  const group = groupOf(own(value, 'apiVersion'), kind, kinds);
  if (typeof group !== 'string') return group;
  if (group === GROUP && isOfAnotherClass(own(value, 'spec'), options.class)) return FOREIGN;
  if (typeof kind !== 'string') return unreadable(['kind'], `must be ${kinds.join(', ')}`);
  if (group === GROUP && !kinds.includes(kind)) return unreadable(['kind'], unknownKind(kind, kinds));
  const namespace = namespaceIn(value, options);
  if (typeof namespace !== 'string') return namespace;
  return identify(value, kind, namespace, options);
}

/** Our group, '' for a core Secret; what merely looks like ours is never taken for somebody else's. */
function groupOf(apiVersion: unknown, kind: unknown, kinds: readonly string[]): string | Foreign | Unreadable {
  if (typeof apiVersion !== 'string') return unreadable(['apiVersion'], `is missing or no text; write ${API_VERSION}`);
  if (apiVersion === 'v1') {
    if (kind === 'Secret') return '';
    if (typeof kind !== 'string') return unreadable(['kind'], 'is missing or no text; a Secret is of kind Secret');
    if (kind === 'List') return unreadable(['kind'], 'is a List; write its items as documents of their own');
    const meant = kind !== 'Service' && kinds.includes(kind);
    return meant ? unreadable(['apiVersion'], `there is no ${kind} in v1; write ${API_VERSION}`) : FOREIGN;
  }
  const [group = ''] = apiVersion.split('/', 1);
  if (group === GROUP && apiVersion.includes('/')) return GROUP;
  const similar = group.length < 32 && editDistance(group.toLowerCase(), GROUP) <= 2;
  return similar ? unreadable(['apiVersion'], `is no version of ${GROUP}; write ${API_VERSION}`) : FOREIGN;
}

/** A class that can't be read belongs to everybody, so that breaking it doesn't make the object vanish. */
function isOfAnotherClass(spec: unknown, mine: string): boolean {
  const named =
    own(spec, 'class') ?? (spec === undefined || spec === null || isPlain(spec) ? DEFAULT_CLASS : undefined);
  return typeof named === 'string' && DNS_LABEL.test(named) && named !== mine;
}

function unknownKind(kind: string, kinds: readonly string[]): string {
  const meant = nearest(kind, kinds);
  return meant === undefined
    ? `is no kind of ${GROUP}; there are ${kinds.join(', ')}`
    : `is no kind of ${GROUP}; did you mean ${meant}?`;
}

function namespaceIn(object: Plain, options: ParseOptions): string | Unreadable {
  const metadata = own(object, 'metadata');
  if (metadata !== undefined && !isPlain(metadata))
    return unreadable(['metadata'], 'must be an object with name and namespace');
  if (!hasOwn(metadata, 'namespace') && options.defaultNamespace !== undefined)
    return absentNamespace(object, metadata) ?? options.defaultNamespace;
  const namespace = own(metadata, 'namespace');
  if (typeof namespace === 'string' && DNS_LABEL.test(namespace)) return namespace;
  return unreadable(
    ['metadata', 'namespace'],
    'must be the name of a namespace: a-z, 0-9 and -, at most 63 characters',
  );
}

/**
 * Why an object that seems to name no namespace may have been meant for one. Taken for one of the default namespace it
 * would close the wrong place: its references are to another Service and other plugins.
 */
function absentNamespace(object: Plain, metadata: unknown): Unreadable | undefined {
  const moved = hasOwn(object, 'namespace');
  if (moved) return unreadable(['namespace'], 'belongs below metadata; indent it as name is');
  const misspelt = unknownKeys(metadata, METADATA_FIELDS).find((key) => nearest(key, METADATA_FIELDS) === 'namespace');
  if (misspelt !== undefined)
    return unreadable(['metadata', printable(misspelt)], 'is no field here; did you mean namespace?');
  return isName(own(metadata, 'name'))
    ? undefined
    : unreadable(['metadata'], 'says neither name nor namespace; write at least name');
}

const isName = (value: unknown): value is string => typeof value === 'string' && DNS_SUBDOMAIN.test(value);

const hasOwn = (value: unknown, name: string): boolean => isPlain(value) && Object.hasOwn(value, name);

function identify(object: Plain, objectKind: string, namespace: string, options: ParseOptions): Identity {
  const metadata = own(object, 'metadata');
  const given = own(metadata, 'name');
  const shortName = isName(given) ? given : options.fallbackName;
  const name = namespacedName(namespace, shortName);
  return {
    kind: 'Ours',
    objectKind,
    key: objectKey(objectKind, name),
    name,
    meta: readMetadata(metadata, namespace, shortName, options),
    object,
    status: options.defaultNamespace === undefined ? own(object, 'status') : undefined,
    problems: headProblems(object, objectKind, metadata, isName(given)),
  };
}

function readMetadata(metadata: unknown, namespace: string, name: string, options: ParseOptions): Metadata {
  const vouched = options.defaultNamespace === undefined;
  const uid = own(metadata, 'uid');
  const generation = own(metadata, 'generation');
  const created = own(metadata, 'creationTimestamp');
  return {
    namespace,
    name,
    uid: vouched && typeof uid === 'string' && uid.length > 0 && uid.length <= 128 ? uid : undefined,
    generation: vouched && typeof generation === 'number' && Number.isSafeInteger(generation) ? generation : undefined,
    creationTimestamp:
      vouched && typeof created === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(created) ? created : undefined,
  };
}
