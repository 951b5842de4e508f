import { parseHostPattern } from '../../src/resources/hostname.ts';
import { namespacedName } from '../../src/resources/keys.ts';
import { compile } from '../../src/routing/compile.ts';
import type { ClusterMode, CompileOptions, HostOwner } from '../../src/routing/options.ts';
import type { Compiled } from '../../src/routing/snapshot.ts';
import { OPTIONS, parseAll, type Raw } from './support.ts';
import { isRaw } from './worlds.ts';

/** A cluster whose namespaces are all watched and listed. Certificates are sound unless they say `broken`. */
export const CLUSTER: ClusterMode = {
  kind: 'Cluster',
  hostOwners: [],
  manyNamespaces: true,
  incomplete: false,
  urlBackends: { kind: 'Any' },
  clusterDomain: 'cluster.local',
  keysSecret: namespacedName('postern', 'postern-keys'),
  certificateFault: (certificate) => (certificate.includes('broken') ? 'is broken' : undefined),
};

export const clusterOptions = (mode: Partial<ClusterMode> = {}): CompileOptions => ({
  ...OPTIONS,
  mode: { ...CLUSTER, ...mode },
});

export const compileCluster = (values: readonly unknown[], mode: Partial<ClusterMode> = {}): Compiled =>
  compile(parseAll(values, true), clusterOptions(mode));

/** `*.example.com=shop`, as the flag has it. */
export const hostOwners = (...entries: readonly string[]): readonly HostOwner[] =>
  entries.map((entry) => {
    const [text = '', namespace = ''] = entry.split('=');
    const pattern = parseHostPattern(text);
    if (pattern === undefined) throw new Error(`${text} is no host`);
    return { pattern, namespace };
  });

/** Created on a day of January 2026. */
export const onDay = <T extends Raw>(day: number, raw: T): T => ({
  ...raw,
  metadata: { ...raw.metadata, creationTimestamp: `2026-01-${String(day).padStart(2, '0')}T00:00:00Z` },
});

export const coreService = (id: string, spec: Readonly<Record<string, unknown>>): Raw => {
  const [namespace = '', name = ''] = id.split('/');
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec };
};

/** In `namespace`: `from` is `Route web`, `to` is `Service` or `Service orders`. */
export const grant = (namespace: string, from: string, to: string): Raw => {
  const [fromKind = '', fromNamespace = ''] = from.split(' ');
  const [toKind = '', name] = to.split(' ');
  const group = 'postern.dev';
  return {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name: `${from} ${to}`.toLowerCase().replaceAll(' ', '-'), namespace },
    spec: {
      from: [{ group, kind: fromKind, namespace: fromNamespace }],
      to: [{ group, kind: toKind, ...(name !== undefined && { name }) }],
    },
  };
};

/** A Secret as an API server gives it. */
export const clusterSecret = (
  id: string,
  data: Readonly<Record<string, string>>,
  { type = 'Opaque', labelled = false }: { readonly type?: string; readonly labelled?: boolean } = {},
): Raw & { readonly type: string; readonly data: Readonly<Record<string, string>> } => {
  const [namespace = '', name = ''] = id.split('/');
  const labels = labelled ? { labels: { 'postern.dev/secret': 'true' } } : {};
  const encoded = Object.entries(data).map(([key, value]) => [key, btoa(value)]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type,
    metadata: { name, namespace, ...labels },
    data: Object.fromEntries(encoded),
  };
};

/** Conditions that aren't as one wishes: `Accepted=False/HostNotAllowed`; the unusual ones by their name. */
export const unwell = (compiled: Compiled, key: string): readonly string[] => {
  const verdict = [...compiled.verdicts.values()].find((one) => one.key === key);
  if (verdict === undefined) throw new Error(`no verdict on ${key}`);
  const usual = ['Accepted', 'ResolvedRefs', 'CertificateReady', 'Programmed', 'Ready'];
  return verdict.conditions.flatMap(({ type, status, reason }) => {
    if (!usual.includes(type)) return [type];
    return status === 'True' || type === 'Programmed' || type === 'Ready' ? [] : [`${type}=${status}/${reason}`];
  });
};

/** Messages of the problems of one reason. */
export const told = (compiled: Compiled, key: string): readonly string[] =>
  [...compiled.verdicts.values()]
    .filter((verdict) => verdict.key === key)
    .flatMap(({ problems }) => problems.map(({ message }) => message));

/** The objects as they are once the leader wrote the hosts of its verdicts to their statuses. */
export const written = (values: readonly unknown[], compiled: Compiled): readonly unknown[] => {
  const hosts = new Map<string, readonly string[] | undefined>(
    [...compiled.verdicts.values()].map((verdict) => [verdict.key, verdict.hosts]),
  );
  return values.map((value) => {
    if (!isRaw(value) || value.kind !== 'Route') return value;
    const named = hosts.get(`Route/${value.metadata.namespace}/${value.metadata.name}`);
    return named === undefined ? value : holding(value, named);
  });
};

/** With `status.hosts`. */
export const holding = <T extends Raw>(raw: T, hosts: unknown): T => ({ ...raw, status: { hosts } });
