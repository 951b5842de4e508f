import { type HostPattern, parseHostPattern } from './hostname.ts';
import { DNS_LABEL, DNS_SUBDOMAIN, type NamespacedName, namespacedName } from './keys.ts';
import { unknownKeys } from './object-head.ts';
import type { Identity } from './object-identity.ts';
import { checkPathPattern } from './path-pattern.ts';
import { isPlain, own, settled } from './plain.ts';
import type { Backend, Claim, PathMatch, PluginRef, Readable } from './resource.ts';
import { routeSpec } from './route.ts';
import { checkRoutePath } from './route-path.ts';
import { claimedPlaces } from './route-size.ts';
import { serviceSpec } from './service.ts';
import { parseServiceUrl } from './service-url.ts';

/**
 * What an invalid object still closes, read member by member. A member counts as read only where it is exactly what a
 * valid object could say: a guess at what was meant would leave open what was really there.
 */
export function claimOfRoute(identity: Identity): Claim {
  const spec = own(identity.object, 'spec');
  return {
    kind: 'Route',
    hosts: readRequired(own(spec, 'hosts'), readHost),
    heldHosts: readHeldHosts(identity),
    paths: readRequired(own(spec, 'paths'), readPath),
    places: claimedPlaces(spec),
    service: readServiceRef(own(spec, 'serviceRef'), identity.meta.namespace),
    plugins: readPlugins(identity, ROUTE_FIELDS),
  };
}

/** What of `status.hosts` is no host says nothing: it is no problem of whoever wrote the Route. */
export const readHeldHosts = ({ status }: Identity): readonly HostPattern[] =>
  settled(readList(own(status, 'hosts'), readHost).known);

export function claimOfService(identity: Identity): Claim {
  const spec = own(identity.object, 'spec');
  return {
    kind: 'Service',
    backend: readBackend(spec, identity.meta.namespace),
    plugins: readPlugins(identity, SERVICE_FIELDS),
  };
}

const ROUTE_FIELDS = Object.keys(routeSpec.shape);
const SERVICE_FIELDS = Object.keys(serviceSpec.shape);

/** Far above the bounds of the schemas; what is beyond counts as unreadable. */
const MAX_MEMBERS = 1024;

const NOTHING = { known: [], complete: false } as const;

function readList<T>(value: unknown, read: (member: unknown) => T | undefined): Readable<T> {
  if (!Array.isArray(value)) return NOTHING;
  const members: readonly unknown[] = value.slice(0, MAX_MEMBERS);
  const known: T[] = [];
  for (const member of members) {
    const item = read(member);
    if (item !== undefined) known.push(item);
  }
  return { known, complete: known.length === value.length };
}

/** A required list that is empty says as little as one that is missing. */
function readRequired<T>(value: unknown, read: (member: unknown) => T | undefined): Readable<T> {
  const list = readList(value, read);
  return list.known.length === 0 ? NOTHING : list;
}

const readHost = (member: unknown): HostPattern | undefined =>
  typeof member === 'string' && member.length <= 255 ? parseHostPattern(member) : undefined;

function readPath(member: unknown): PathMatch | undefined {
  const type = own(member, 'type');
  const value = own(member, 'value');
  if (typeof value !== 'string' || value.length > 1024) return undefined;
  if (type !== 'Exact' && type !== 'Prefix' && type !== 'RegularExpression') return undefined;
  const checked = type === 'RegularExpression' ? checkPathPattern(value) : checkRoutePath(type, value);
  return checked.ok ? checked.match : undefined;
}

/** No list is an empty one, unless a field was misspelt: that may be the list. */
function readPlugins(identity: Identity, fields: readonly string[]): Readable<PluginRef> {
  const spec = own(identity.object, 'spec');
  if (!isPlain(spec)) return NOTHING;
  const list = own(spec, 'plugins');
  if (list !== undefined) return readList(list, (member) => readPluginRef(member, identity.meta.namespace));
  const misspelt = unknownKeys(spec, fields).length > 0 || unknownKeys(identity.object, OBJECT_FIELDS).length > 0;
  return { known: [], complete: !misspelt };
}

const OBJECT_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

function readPluginRef(member: unknown, namespace: string): PluginRef | undefined {
  const kind = own(member, 'kind');
  const name = readName(member, namespace);
  return typeof kind === 'string' && kind.length > 0 && kind.length <= 63 && name !== undefined
    ? { kind, name }
    : undefined;
}

const readServiceRef = (value: unknown, namespace: string): NamespacedName | undefined => readName(value, namespace);

/** `name` and `namespace` of a reference. */
function readName(reference: unknown, ownNamespace: string): NamespacedName | undefined {
  const name = own(reference, 'name');
  const namespace = own(reference, 'namespace') === undefined ? ownNamespace : own(reference, 'namespace');
  return typeof name === 'string' &&
    DNS_SUBDOMAIN.test(name) &&
    typeof namespace === 'string' &&
    DNS_LABEL.test(namespace)
    ? namespacedName(namespace, name)
    : undefined;
}

function readBackend(spec: unknown, namespace: string): Backend | undefined {
  const url = own(spec, 'url');
  const ref = own(spec, 'backendRef');
  if (typeof url === 'string' && ref === undefined) {
    const checked = url.length <= 2048 ? parseServiceUrl(url) : undefined;
    return checked?.ok ? checked.url : undefined;
  }
  const name = own(ref, 'name');
  const port = own(ref, 'port');
  if (url !== undefined || typeof name !== 'string' || !DNS_SUBDOMAIN.test(name)) return undefined;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { kind: 'Service', name: namespacedName(namespace, name), port };
}
