import { nameOf, namespacedName, namespaceOf, type ObjectKey, objectKey } from '../resources/keys.ts';
import { API_VERSION, GATEWAY_GROUP, GROUP, SECRET_LABEL } from '../resources/metadata.ts';
import type { Plain } from '../resources/plain.ts';
import { type FieldPath, type Problem, problem } from '../resources/problem.ts';
import type { Parsed, PluginRef, Resource, RouteResource, ServiceResource } from '../resources/resource.ts';
import type { UpstreamTlsRefs } from '../resources/upstream.ts';
import { grantsOf, type Referent, type Referrer } from '../routing/grants.ts';

/** What can't be told of an object from files alone; `problem` has the reason that it would have in a cluster. */
export interface NotChecked {
  readonly key: ObjectKey;
  readonly problem: Problem;
}

export interface StandIns {
  /** In place of what is referred to and isn't there, so that the rest can be compiled as if it were. */
  readonly objects: readonly Plain[];
  readonly notChecked: readonly NotChecked[];
}

/** Of a plugin kind: a spec that is valid, whatever it does. */
export type PluginSpecs = Readonly<Record<string, Plain>>;

/** In what stands in. */
export const NOT_CHECKED = 'not-checked';
/** As a certificate, which has no fault. */
export const NOT_CHECKED_PEM = '-----BEGIN CERTIFICATE-----\nnotchecked\n-----END CERTIFICATE-----';

/** Stand-ins for what the objects of some files refer to and the files don't have. `className`: of the installation. */
export function standIns(parsed: readonly Parsed[], pluginSpecs: PluginSpecs, className: string): StandIns {
  const there = new Set(parsed.map((one) => (one.ok ? one.value.key : one.key)));
  const resources = parsed.flatMap((one) => (one.ok ? [one.value] : []));
  const grants = grantsOf(resources.flatMap((one) => (one.kind === 'ReferenceGrant' ? [one] : [])));
  const all = resources.flatMap(references);
  const absent = all.filter(({ to }) => !there.has(keyOf(to)) && isReplaceable(to, pluginSpecs));
  const ungranted = all.filter(({ from, to }) => from !== undefined && !grants.permits(from, to));
  const replaced = Map.groupBy(absent, ({ to }) => keyOf(to));
  return {
    objects: [
      ...[...replaced.values()].map((of) => replacement(of, pluginSpecs, className)),
      ...ungranted.map(({ from, to }, at) => grantFor(from, to, at)),
    ],
    notChecked: [
      ...absent.map(({ key, path, to }) => absence(key, path, to)),
      ...ungranted.map(({ key, path, to }) => ({
        key,
        problem: problem('RefNotPermitted', path, `no ReferenceGrant among these files permits to name ${nounOf(to)}`),
      })),
    ],
  };
}

export const absence = (key: ObjectKey, path: FieldPath, to: Referent): NotChecked => ({
  key,
  problem: problem(REASONS[to.kind] ?? 'PluginNotFound', path, `${nounOf(to)} is not among these files`),
});

interface Reference {
  readonly key: ObjectKey;
  readonly from: Referrer | undefined;
  readonly path: FieldPath;
  readonly to: Referent;
  /** Of a core Service. */
  readonly port?: number;
  /** Of a Secret, besides those of a certificate. */
  readonly secretKey?: string;
}

function references(resource: Resource): readonly Reference[] {
  switch (resource.kind) {
    case 'Route':
      return ofRoute(resource);
    case 'Service':
      return ofService(resource);
    default:
      return [];
  }
}

function ofRoute({ key, name, service, plugins, tlsSecret }: RouteResource): readonly Reference[] {
  const from: Referrer = { kind: 'Route', namespace: namespaceOf(name) };
  return [
    { key, from, path: ['spec', 'serviceRef'], to: { kind: 'Service', name: service } },
    ...ofPlugins(key, from, plugins),
    ...(tlsSecret === undefined
      ? []
      : [{ key, from: undefined, path: ['spec', 'tls', 'secretRef'], to: { kind: 'Secret', name: tlsSecret } }]),
  ];
}

function ofService({ key, name, backend, upstream, plugins }: ServiceResource): readonly Reference[] {
  const to = backend.kind === 'Service' ? { kind: 'CoreService', name: backend.name } : undefined;
  const backends =
    to === undefined || backend.kind !== 'Service'
      ? []
      : [{ key, from: undefined, path: ['spec', 'backendRef'], to, port: backend.port }];
  const from: Referrer = { kind: 'Service', namespace: namespaceOf(name) };
  return [...backends, ...ofTls(key, from.namespace, upstream.tls), ...ofPlugins(key, from, plugins)];
}

function ofTls(key: ObjectKey, namespace: string, tls: UpstreamTlsRefs | undefined): readonly Reference[] {
  const to = (name: string): Referent => ({ kind: 'Secret', name: namespacedName(namespace, name) });
  const at = (field: string): Pick<Reference, 'key' | 'from' | 'path'> => ({
    key,
    from: undefined,
    path: ['spec', 'tls', field],
  });
  const { caRef, clientCertRef } = tls ?? {};
  return [
    ...(caRef === undefined ? [] : [{ ...at('caRef'), to: to(caRef.name), secretKey: caRef.key }]),
    ...(clientCertRef === undefined ? [] : [{ ...at('clientCertRef'), to: to(clientCertRef) }]),
  ];
}

const ofPlugins = (key: ObjectKey, from: Referrer, plugins: readonly PluginRef[]): readonly Reference[] =>
  plugins.map((to, at) => ({ key, from, path: ['spec', 'plugins', at], to }));

const REASONS: Readonly<Record<string, Problem['reason']>> = {
  Service: 'BackendNotFound',
  CoreService: 'BackendNotFound',
  Secret: 'SecretNotFound',
};

const isReplaceable = ({ kind }: Referent, pluginSpecs: PluginSpecs): boolean =>
  Object.hasOwn(REASONS, kind) || Object.hasOwn(pluginSpecs, kind);

const nounOf = ({ kind, name }: Referent): string => `${kind === 'CoreService' ? 'core Service' : kind} ${name}`;

const keyOf = ({ kind, name }: Referent): ObjectKey => objectKey(kind, name);

/** Of all references to one object. */
function replacement(of: readonly Reference[], pluginSpecs: PluginSpecs, className: string): Plain {
  const [first] = of;
  const { kind = '', name } = first?.to ?? {};
  const metadata = name && { namespace: namespaceOf(name), name: nameOf(name) };
  switch (kind) {
    case 'CoreService': {
      const ports = [...new Set(of.map(({ port }) => port))].map((port) => ({ port }));
      return { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports } };
    }
    case 'Secret': {
      const keys = of.flatMap(({ secretKey }) => secretKey ?? []);
      const authorities = Object.fromEntries(keys.map((key) => [key, NOT_CHECKED_PEM]));
      const stringData = { 'tls.crt': NOT_CHECKED_PEM, 'tls.key': NOT_CHECKED, ...authorities };
      const labelled = { ...metadata, labels: { [SECRET_LABEL]: 'true' } };
      return { apiVersion: 'v1', kind, metadata: labelled, type: 'kubernetes.io/tls', stringData };
    }
    default: {
      const spec = kind === 'Service' ? { url: 'https://not-checked.invalid' } : pluginSpecs[kind];
      return { apiVersion: API_VERSION, kind, metadata, spec: { ...spec, class: className } };
    }
  }
}

const grantFor = (from: Referrer | undefined, to: Referent, at: number): Plain => ({
  apiVersion: `${GATEWAY_GROUP}/v1beta1`,
  kind: 'ReferenceGrant',
  metadata: { namespace: namespaceOf(to.name), name: `not-checked-${at}` },
  spec: {
    from: [{ group: GROUP, kind: from?.kind, namespace: from?.namespace }],
    to: [{ group: GROUP, kind: to.kind, name: nameOf(to.name) }],
  },
});
