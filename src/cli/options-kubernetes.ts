import { type Option, option } from './option.ts';

/** What only a gateway of a cluster is told. */
export const KUBERNETES: readonly Option[] = [
  option(
    'kubeconfig',
    'FILE',
    'in a Pod, its ServiceAccount',
    'How to reach the API server: the current context of this file.',
  ),
  option(
    'namespaces',
    'NAME,...',
    'every one',
    'Whose objects are served. With a list, Roles in these namespaces are enough, and no ClusterRole is needed.',
  ),
  option(
    'host-owner',
    'HOST=NAMESPACE,...',
    undefined,
    'Which namespace alone may name a host in its Routes: shop.example.com=shop, *.example.com=web or *=edge; the most specific one that covers a host decides. A host without an entry stays with the namespace that had it first. Where more than one namespace is served, wildcard hosts need an entry.',
  ),
  option(
    'cluster-domain',
    'DOMAIN',
    'cluster.local',
    'The DNS suffix of the Services of this cluster, which the url of a Service does not reach unless --url-backends is Any.',
  ),
  option(
    'keys-secret',
    'NAME',
    'postern-keys, for another class postern-CLASS-keys',
    'The Secret, in the namespace of this Pod, of the keys that seal sessions and logins. It is made where there is none, and shared by all replicas.',
  ),
  option(
    'listen-https',
    'ADDRESS:PORT|off',
    '0.0.0.0:8443',
    'Where requests are served over TLS, with the certificates that Routes name (tls.secretRef).',
  ),
  option('http2', 'on|off', 'on', 'Whether --listen-https speaks HTTP/2 with clients that offer it. gRPC needs it.'),
  option(
    'plain-http',
    'Redirect|Serve',
    'Redirect, without --listen-https Serve',
    'What --listen does with a request: send the browser to https, or serve it, for where TLS ends in front.',
  ),
  option(
    'default-certificate',
    'NAMESPACE/NAME',
    undefined,
    'The Secret of type kubernetes.io/tls that is shown for hosts without a certificate of their own.',
  ),
  option(
    'hsts',
    'POLICY',
    undefined,
    'Strict-Transport-Security on every answer over TLS, in place of what services write: max-age=31536000, and if that is meant for all names below each host, max-age=31536000; includeSubDomains. Browsers then refuse plain http, and certificates that are not valid, for as many seconds.',
  ),
  option(
    'tls-session-tickets',
    'on|off',
    'off',
    'Whether clients may resume TLS sessions, at any replica, for an hour: the tickets are sealed with a key derived from those of --keys-secret.',
  ),
  option(
    'leader-election',
    'on|off',
    'on',
    'Whether one of several replicas writes the statuses. off is for a single replica.',
  ),
  option(
    'lease',
    'NAME',
    'postern, for another class postern-CLASS',
    'The Lease, in the namespace of this Pod, by which the replicas choose the one that writes.',
  ),
  option('status-writes', 'NUMBER', '20', 'How many statuses are written in a second, at most.'),
  option('pod-name', 'NAME', 'the host name', 'The name of this Pod: who holds the Lease, and who tells Events.'),
  option(
    'pod-namespace',
    'NAME',
    'that of the ServiceAccount',
    'The namespace of this Pod: where the keys and the Lease are. Required outside of a cluster.',
  ),
].map((each) => ({ ...each, only: 'kubernetes' }));
