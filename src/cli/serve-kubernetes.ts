import type { Control } from '../control/control.ts';
import type { KeyRing } from '../keys/ring.ts';
import type { Check } from '../observe/admin.ts';
import type { Log } from '../observe/log.ts';
import { PLUGIN_KINDS } from '../plugins/kinds.ts';
import { certificateFaults } from '../proxy/tls/certificate-fault.ts';
import { TICKET_KEY_BYTES, type TicketKeys } from '../proxy/tls/session-tickets.ts';
import { createSocketForwarder } from '../proxy/upstream/socket-forwarder.ts';
import { namespacedName } from '../resources/keys.ts';
import type { ClusterMode } from '../routing/options.ts';
import type { KubernetesSettings, ServeSettings } from '../settings.ts';
import type { KubernetesApi } from '../sources/kubernetes/api.ts';
import { openApi } from '../sources/kubernetes/client.ts';
import { createEndpoints } from '../sources/kubernetes/endpoints.ts';
import { createKubernetesSource, type KubernetesSource } from '../sources/kubernetes/source.ts';
import { type Certificates, createCertificates } from './certificates.ts';
import { openFront, tellServing } from './front.ts';
import { openClusterKeys } from './keys-cluster.ts';
import { KNOWN_OWN_KINDS, KNOWN_PLUGIN_KINDS } from './known-kinds.ts';
import { StartFailure } from './listen.ts';
import { portsOf } from './own-listeners.ts';
import { createControlLoop, createParts, type Parts, type Running } from './parts.ts';
import { clusterPipeline } from './pipeline.ts';
import { createReporting } from './reporting.ts';
import { secretReferences } from './secret-references.ts';
import { timers } from './timers.ts';
import { openViews } from './views.ts';

/**
 * From the objects of an API server. Only a configuration that can't be right ends it; for everything else it waits, seen
 * as not ready, for as long as it takes (F09, F28).
 */
export async function startInCluster(settings: ServeSettings, cluster: KubernetesSettings, log: Log): Promise<Running> {
  const parts = createParts(settings, log);
  const { api, namespace, server } = await reachCluster(parts, cluster);
  const keys = openClusterKeys({ api, namespace, name: cluster.keysSecret, now: parts.now, log: log.part('keys') });
  const endpoints = createEndpoints(addressOf(server));
  const source = createSource(parts, cluster, api, endpoints);
  const certificates = createCertificates({
    fallback: cluster.defaultCertificate,
    now: parts.ticks,
    log: log.part('certificates'),
  });

  let control: Control | undefined;
  const views = await openViews(parts, {
    checks: [{ name: 'keys', failure: keys.failure }, ...watchChecks(source, () => control?.current() !== undefined)],
    control: () => control,
    debugPages: { kubernetes: () => source.health() },
  });
  const ring = await keys.ring;
  control = createControlLoop(parts, {
    ...pipelineOf(parts, cluster, namespace, source, certificates),
    source,
    keys: ring,
    onPublished(publication) {
      certificates.published(publication);
      const { changed, snapshot, previous } = publication;
      reporting.reporter.publish(changed, snapshot.plugins !== previous?.plugins);
    },
  });
  const reporting = createReporting(parts, { cluster, api, namespace, source, control });
  parts.metrics.cluster().follow({ leading: reporting.leading, fresh: () => freshKinds(source, parts.now) });

  await control.start();
  reporting.start();
  const forwarder = createSocketForwarder({
    observer: parts.metrics.upstreams,
    ownPorts: portsOf([settings.listen, cluster.https, settings.admin, settings.debug]),
    endpoints,
    reach: {
      urlBackends: settings.urlBackends,
      clusterDomain: cluster.clusterDomain,
      forbiddenAddresses: endpoints.apiServerAddresses,
    },
  });
  parts.metrics.followUpstreams(() => forwarder.counts());
  const { https: endpoint, plainHttp: plain, http2, hsts } = cluster;
  const ticketKeys = cluster.sessionTickets ? ticketKeysOf(ring) : undefined;
  const shown = { plain, http2, hsts, ticketKeys, certificates: certificates.store };
  const https = endpoint === undefined ? {} : { https: { ...shown, endpoint } };
  const front = await openFront(parts, { control, forwarder, ...https });
  tellServing(parts, endpoint, { kubernetes: server });
  const running = control;
  return {
    async stop() {
      // Another replica is to write as soon as can be, while this one still serves.
      await Promise.all([front.end(), reporting.stop()]);
      await running.stop();
      forwarder.close();
      keys.close();
      await api.close();
      await views.close();
    },
  };
}

/** Whatever key seals sessions now: another one is that of other tickets. */
const ticketKeysOf =
  (ring: KeyRing): TicketKeys =>
  (shown) =>
    ring.sealing().deriveBytes('tls session tickets v1', shown, TICKET_KEY_BYTES);

interface Reached {
  readonly api: KubernetesApi;
  /** Of this Pod: where the keys and the Lease are. */
  readonly namespace: string;
  readonly server: string;
}

/** Of an origin, the port as a number though it is the scheme's own. */
function addressOf(origin: string): { readonly host: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(origin);
  const otherwise = protocol === 'https:' ? 443 : 80;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? otherwise : Number(port) };
}

/** @throws StartFailure where the configuration can't be used: waiting would change nothing. */
async function reachCluster(parts: Parts, cluster: KubernetesSettings): Promise<Reached> {
  const opened = await openApi({
    kubeconfig: cluster.kubeconfig,
    observer: {
      ...parts.metrics.cluster().api,
      credentialsStale: (cause) =>
        parts.log
          .part('kubernetes')
          .warn({}, `credentials can't be read again, so those from before are used: ${cause}`),
    },
    now: parts.ticks,
  });
  if (!opened.ok) throw new StartFailure(`--kubernetes: ${opened.message}`);
  const namespace = cluster.podNamespace ?? opened.namespace;
  if (namespace === undefined)
    throw new StartFailure(
      '--pod-namespace: this is missing, and the ServiceAccount does not say it: write the namespace',
    );
  return { api: opened.api, namespace, server: opened.server };
}

const createSource = (
  { settings, log, ticks, metrics }: Parts,
  cluster: KubernetesSettings,
  api: KubernetesApi,
  endpoints: ReturnType<typeof createEndpoints>,
): KubernetesSource =>
  createKubernetesSource({
    api,
    namespaces: cluster.namespaces ?? 'All',
    pluginKinds: KNOWN_PLUGIN_KINDS,
    ownKinds: KNOWN_OWN_KINDS,
    referencedSecrets: secretReferences(PLUGIN_KINDS, settings.class),
    pinnedSecrets: cluster.defaultCertificate === undefined ? [] : [cluster.defaultCertificate],
    endpoints,
    log: log.part('kubernetes'),
    metrics: metrics.cluster().watches,
    timers,
    now: ticks,
    random: Math.random,
  });

function pipelineOf(
  { settings, now }: Parts,
  cluster: KubernetesSettings,
  namespace: string,
  source: KubernetesSource,
  certificates: Certificates,
): Pick<ReturnType<typeof clusterPipeline>, 'parse' | 'compile'> {
  const certificateFault = certificateFaults(now);
  const mode = (): ClusterMode => ({
    kind: 'Cluster',
    hostOwners: cluster.hostOwners,
    manyNamespaces: cluster.namespaces?.length !== 1,
    incomplete: source.incomplete(),
    urlBackends: settings.urlBackends,
    clusterDomain: cluster.clusterDomain,
    keysSecret: namespacedName(namespace, cluster.keysSecret),
    certificateFault,
  });
  const pipeline = clusterPipeline(PLUGIN_KINDS, settings, mode);
  return {
    parse: pipeline.parse,
    compile(objects) {
      certificates.look(objects);
      return pipeline.compile(objects);
    },
  };
}

/** By resource; all count until the first table is there, and never after that: what is known is served on (F01). */
function watchChecks(source: KubernetesSource, published: () => boolean): readonly Check[] {
  const nameOf = ({ resource, namespace }: ReturnType<KubernetesSource['health']>[number]): string =>
    namespace === undefined ? resource : `${resource}/${namespace}`;
  return [...new Set(source.health().map(nameOf))].map((name) => ({
    name,
    failure() {
      if (published()) return undefined;
      const waiting = source.health().find((health) => nameOf(health) === name && !health.listed);
      return waiting === undefined ? undefined : (waiting.problem ?? 'it was not listed yet');
    },
  }));
}

/** The kind that is furthest behind in one namespace is as far behind in all. */
function freshKinds(source: KubernetesSource, now: () => number): ReadonlyMap<string, number> {
  const fresh = new Map<string, number>();
  for (const { kind, age } of source.health()) {
    if (age === undefined) continue;
    const at = now() - age * 1000;
    fresh.set(kind, Math.min(fresh.get(kind) ?? at, at));
  }
  return fresh;
}
