import { type Option, option } from './option.ts';
import { KUBERNETES } from './options-kubernetes.ts';

export { type Option, variableOf } from './option.ts';

/** Makes a file for `--keys-file` that only its owner can read. */
const MAKE_KEYS = '(umask 077; echo "k1 $(openssl rand -base64 32) $(date -u +%FT%TZ)" > keys)';

const CLASS = option(
  'class',
  'NAME',
  'postern',
  'Which objects are served: those whose spec.class is this. Others are not seen, so that several installations can live side by side.',
);
const externalScheme = (fallback: string): Option =>
  option(
    'external-scheme',
    'http|https',
    fallback,
    'How browsers reach the gateway. Write https where something in front of it ends TLS. Redirect URIs and cookies are made from this, never from a request.',
  );
const externalPort = (otherwise: string): Option =>
  option(
    'external-port',
    'PORT',
    `443 with https, otherwise ${otherwise}`,
    'The port at which browsers reach the gateway.',
  );

const IDENTITY_HEADERS = option(
  'identity-headers',
  'NAME,...',
  undefined,
  'More headers that carry an identity, besides the built-in ones: removed from what clients send, on every Route. A name may end in *.',
);

const urlBackends = (fallback: string): Option =>
  option(
    'url-backends',
    'Public|Any|CIDR,...',
    fallback,
    'Which addresses the url of a Service may lead to: those of the public internet, any, or public ones and those listed. Link-local ones are reached under no setting.',
  );

const FILES: readonly Option[] = [
  {
    ...option(
      'keys-file',
      'FILE',
      undefined,
      'File of the keys that seal sessions and logins, one a line: an id, 32 random bytes in base64, and when it was added. Read again when it changes. Without the file, a key is made at each start, and everybody has to log in again after one.',
    ),
    shell: MAKE_KEYS,
    only: 'files',
  },
];

export const SERVE: readonly Option[] = [
  option(
    'files',
    'DIR',
    undefined,
    'Directory of the objects: every *.yaml, *.yml and *.json in it and below. Changes are live within a second.',
  ),
  option(
    'kubernetes',
    undefined,
    'yes in a cluster, unless --files is there',
    'The objects are those of the API server, and what Postern says of each is in its status.',
  ),
  option(
    'listen',
    'ADDRESS:PORT',
    '127.0.0.1:8080, with --kubernetes 0.0.0.0:8080',
    'Where requests are served. 0.0.0.0:8080 is every interface.',
  ),
  option(
    'admin',
    'ADDRESS:PORT',
    '127.0.0.1:9090, with --kubernetes 0.0.0.0:9090',
    'Where /metrics, /livez and /readyz (with ?verbose) are served, to whoever reaches it.',
  ),
  option(
    'debug',
    'ADDRESS:PORT|off',
    '127.0.0.1:9091',
    'Where /debug/snapshot shows the routing table and the conditions of each object. Loopback addresses only.',
  ),
  externalScheme('http, with --kubernetes https'),
  externalPort('the port of --listen'),
  option(
    'health-path',
    '/PATH',
    undefined,
    'A path at which --listen and --listen-https answer 200 whatever the host, for load balancers that ask on the port of the traffic. No Route gets it then.',
  ),
  option(
    'trusted-proxies',
    'CIDR,...',
    undefined,
    'Addresses whose X-Forwarded-For is believed, for the log and for what is behind: those of the load balancers in front. Of nobody else. Scheme, host and port are never taken from a header.',
  ),
  option(
    'proxy-protocol',
    'http,https',
    undefined,
    'Listeners (http is --listen, https is --listen-https) on which every connection has to begin with a PROXY protocol header, version 1 or 2, of one of the --trusted-proxies: who it names is the client. Connections without one, and of anybody else, are closed.',
  ),
  option(
    'forwarded-header',
    'on|off',
    'off',
    'Whether services are told of the client in Forwarded (RFC 7239) as well as in X-Forwarded-*. What clients send in it is removed either way.',
  ),
  IDENTITY_HEADERS,
  urlBackends('Any, with --kubernetes Public'),
  option(
    'provider-addresses',
    'Any|Public|CIDR,...',
    'Any',
    'Which addresses plugins may call: what an OidcPlugin names, and what the discovery of its provider leads to. As --url-backends.',
  ),
  CLASS,
  option(
    'limits',
    'NAME=VALUE,...',
    undefined,
    'Other limits and time-outs of the listeners than the usual ones, as in connections=20000,headTimeout=5s. docs/limits.md has all of them.',
  ),
  option('log-level', 'debug|info|warn|error', 'info', 'The least severe lines that are written.'),
  option(
    'log-format',
    'json|text',
    'text on a terminal, otherwise json',
    'One JSON object per line, or lines for people.',
  ),
  option(
    'grace',
    'DURATION',
    '0s, with --kubernetes 10s',
    'On SIGTERM, how long new connections are still served while /readyz already says no, so that a load balancer can notice.',
  ),
  option('drain', 'DURATION', '30s', 'After that, how long requests under way may take to end before they are cut.'),
  ...FILES,
  ...KUBERNETES,
];

export const VALIDATE: readonly Option[] = [
  option(
    'output',
    'text|json',
    'text',
    'Text for people, or one JSON document for scripts: {ok, objects, problems, warnings, notChecked, routes}.',
  ),
  option(
    'kubernetes',
    undefined,
    'no',
    'The files are manifests for a cluster, and are checked as a gateway there would see them, without asking any cluster: backendRef, labels of Secrets, owners of hosts and ReferenceGrants count. What they refer to and the files do not have is told as "not checked", which is no problem.',
  ),
  CLASS,
  externalScheme('http, with --kubernetes https'),
  externalPort('8080'),
  IDENTITY_HEADERS,
  ...[
    option(
      'namespace',
      'NAME',
      'default',
      'The namespace of objects that name none, as kubectl apply -n puts them there.',
    ),
    urlBackends('Public'),
    ...KUBERNETES.filter(({ flag }) => ['namespaces', 'host-owner', 'cluster-domain'].includes(flag)),
  ].map((each): Option => ({ ...each, only: 'kubernetes' })),
];
