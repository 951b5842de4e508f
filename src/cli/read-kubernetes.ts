import type { NamespacedName } from '../resources/keys.ts';
import { DEFAULT_CLASS } from '../resources/metadata.ts';
import type { KubernetesSettings, Surroundings } from '../settings.ts';
import * as network from './network-values.ts';
import type { Reader } from './reader.ts';
import * as values from './values.ts';

export function readKubernetes(reader: Reader, className: string, around: Surroundings): KubernetesSettings {
  const own = className === DEFAULT_CLASS ? 'postern' : `postern-${className}`;
  const https = reader.value<values.Endpoint | undefined>('listen-https', values.endpointOrOff, HTTPS);
  return {
    kind: 'Kubernetes',
    kubeconfig: readKubeconfig(reader, around),
    namespaces: reader.value<readonly string[] | undefined>('namespaces', network.namespaces, undefined),
    hostOwners: reader.value('host-owner', network.hostOwners, []),
    clusterDomain: reader.value('cluster-domain', network.domain, 'cluster.local'),
    keysSecret: reader.value('keys-secret', network.objectName, `${own}-keys`),
    https,
    http2: reader.value('http2', values.oneOf('on', 'off'), 'on') === 'on',
    plainHttp: readPlainHttp(reader, https),
    defaultCertificate: readDefaultCertificate(reader, https),
    hsts: readHsts(reader, https),
    sessionTickets: readSessionTickets(reader, https),
    leaderElection: reader.value('leader-election', values.oneOf('on', 'off'), 'on') === 'on',
    lease: reader.value('lease', network.objectName, own),
    statusWrites: reader.value('status-writes', network.positive(1000), 20),
    podName: reader.value<string | undefined>('pod-name', network.objectName, undefined),
    podNamespace: readPodNamespace(reader, around),
  };
}

const HTTPS: values.Endpoint = { host: '0.0.0.0', port: 8443 };

function readKubeconfig(reader: Reader, around: Surroundings): string | undefined {
  const file = reader.value<string | undefined>('kubeconfig', values.path, around.kubeconfig);
  if (file === undefined && !around.inPod)
    reader.missing('kubeconfig', 'the file that says how to reach the API server');
  return file;
}

/** In a Pod its ServiceAccount says which; elsewhere a guess would put keys into somebody else's namespace. */
function readPodNamespace(reader: Reader, around: Surroundings): string | undefined {
  if (!around.inPod && reader.where('pod-namespace') === undefined)
    reader.missing('pod-namespace', 'the namespace for the keys and the Lease');
  return reader.value<string | undefined>('pod-namespace', network.namespace, undefined);
}

function readPlainHttp(reader: Reader, https: values.Endpoint | undefined): 'Redirect' | 'Serve' {
  const fallback = https === undefined ? 'Serve' : 'Redirect';
  const plain = reader.value('plain-http', values.oneOf('Redirect', 'Serve'), fallback);
  if (plain === 'Redirect' && https === undefined)
    reader.problems.push(
      `${reader.where('plain-http')}: with --listen-https off there is nothing to redirect to: write Serve`,
    );
  return plain;
}

function readDefaultCertificate(reader: Reader, https: values.Endpoint | undefined): NamespacedName | undefined {
  const name = reader.value<NamespacedName | undefined>('default-certificate', network.objectIn, undefined);
  if (name !== undefined && https === undefined)
    reader.problems.push(
      `${reader.where('default-certificate')}: with --listen-https off nobody is shown a certificate: leave it out`,
    );
  return name;
}

function readHsts(reader: Reader, https: values.Endpoint | undefined): string | undefined {
  const hsts = reader.value<string | undefined>('hsts', network.hsts, undefined);
  if (hsts !== undefined && https === undefined)
    reader.problems.push(
      `${reader.where('hsts')}: with --listen-https off no answer goes over TLS here: leave it out, and let what ends TLS write it`,
    );
  return hsts;
}

function readSessionTickets(reader: Reader, https: values.Endpoint | undefined): boolean {
  const tickets = reader.value('tls-session-tickets', values.oneOf('on', 'off'), 'off') === 'on';
  if (tickets && https === undefined)
    reader.problems.push(
      `${reader.where('tls-session-tickets')}: with --listen-https off there are no sessions: leave it out`,
    );
  return tickets;
}
