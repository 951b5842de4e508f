import type { Environment } from './cli/arguments.ts';
import { type Option, SERVE, VALIDATE } from './cli/options.ts';
import type { Limits } from './cli/read-limits.ts';
import { readServe } from './cli/read-serve.ts';
import { readValidate } from './cli/read-validate.ts';
import { Reader } from './cli/reader.ts';
import type { Endpoint } from './cli/values.ts';
import type { AddressPolicy, Cidr } from './resources/address-policy.ts';
import type { Milliseconds } from './resources/duration.ts';
import type { ProxyRules, ProxyVariables } from './resources/egress-proxy.ts';
import type { ExternalAddress } from './resources/external.ts';
import type { NamespacedName } from './resources/keys.ts';
import { nearest } from './resources/nearest.ts';
import type { RoutePath } from './resources/path.ts';
import type { HostOwner } from './routing/options.ts';

/** Everything that the process was told at its start. Frozen. */
export type Settings = ServeSettings | ValidateSettings | VersionSettings | HelpSettings;

export interface ServeSettings {
  readonly command: 'serve';
  /** Where the objects come from, and what only matters there. */
  readonly origin: FilesSettings | KubernetesSettings;
  readonly listen: Endpoint;
  readonly admin: Endpoint;
  /** Undefined: off. Always a loopback address. */
  readonly debug: Endpoint | undefined;
  readonly external: ExternalAddress;
  /** Canonical. */
  readonly healthPath: RoutePath | undefined;
  readonly trustedProxies: readonly Cidr[];
  /** Listeners whose connections begin with a PROXY header. */
  readonly proxyProtocol: readonly ('http' | 'https')[];
  /** Whether upstreams are told of the client in `Forwarded` too. */
  readonly forwardedHeader: boolean;
  /** Names, or prefixes that end in `*`. */
  readonly identityHeaders: readonly string[];
  readonly urlBackends: AddressPolicy;
  readonly providerAddresses: AddressPolicy;
  /** Of the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case. */
  readonly proxies: ProxyRules;
  readonly limits: Limits;
  readonly class: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'json' | 'text';
  /** Whether text may be coloured: on a terminal, and NO_COLOR isn't set. */
  readonly colour: boolean;
  readonly grace: Milliseconds;
  readonly drain: Milliseconds;
}

export interface FilesSettings {
  readonly kind: 'Files';
  readonly directory: string;
  readonly keysFile: string | undefined;
}

export interface KubernetesSettings {
  readonly kind: 'Kubernetes';
  /** Undefined: the ServiceAccount of the Pod. */
  readonly kubeconfig: string | undefined;
  /** Undefined: every one. */
  readonly namespaces: readonly string[] | undefined;
  readonly hostOwners: readonly HostOwner[];
  readonly clusterDomain: string;
  /** Names in the Pod's namespace. */
  readonly keysSecret: string;
  readonly lease: string;
  /** Undefined: off. */
  readonly https: Endpoint | undefined;
  readonly http2: boolean;
  readonly plainHttp: 'Redirect' | 'Serve';
  readonly defaultCertificate: NamespacedName | undefined;
  /** Value of Strict-Transport-Security; undefined: none is written. */
  readonly hsts: string | undefined;
  /** Whether TLS sessions are resumed. */
  readonly sessionTickets: boolean;
  readonly leaderElection: boolean;
  /** In a second. */
  readonly statusWrites: number;
  /** Undefined: the host name. */
  readonly podName: string | undefined;
  /** Undefined: that of the ServiceAccount. */
  readonly podNamespace: string | undefined;
}

export interface ValidateSettings {
  readonly command: 'validate';
  readonly paths: readonly string[];
  readonly output: 'text' | 'json';
  readonly class: string;
  readonly external: ExternalAddress;
  readonly identityHeaders: readonly string[];
  /** Undefined: as serve does with --files. */
  readonly cluster: ClusterCheck | undefined;
  readonly colour: boolean;
}

/** What a cluster would say of manifests: the flags of its gateway, as far as they count for objects. */
export interface ClusterCheck {
  /** Of objects that name none. */
  readonly namespace: string;
  /** Undefined: every one. */
  readonly namespaces: readonly string[] | undefined;
  readonly hostOwners: readonly HostOwner[];
  readonly urlBackends: AddressPolicy;
  readonly clusterDomain: string;
}

export interface VersionSettings {
  readonly command: 'version';
}

export interface HelpSettings {
  readonly command: 'help';
  readonly of: Command | undefined;
}

export const COMMANDS = ['serve', 'validate', 'version'] as const;
export type Command = (typeof COMMANDS)[number];

export type ReadSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly command: Command | undefined; readonly problems: readonly string[] };

/** `terminal`: whether standard output is one. The only reader of the environment. */
export function readSettings(
  args: readonly string[],
  terminal: boolean,
  environment: Environment = process.env,
): ReadSettings {
  const [first, ...rest] = args;
  const colour = terminal && (environment['NO_COLOR'] ?? '') === '';
  if (first === undefined || first === 'help' || isHelp(first))
    return done({ command: 'help', of: commandOf(rest[0]) });
  if (first === '--version') return done({ command: 'version' });
  const command = commandOf(first);
  if (command === undefined) {
    const meant = nearest(first, COMMANDS);
    const hint = meant === undefined ? `write one of ${COMMANDS.join(', ')}` : `did you mean ${meant}?`;
    return { ok: false, command, problems: [`${first}: there is no such command; ${hint}`] };
  }
  const end = rest.indexOf('--');
  if (rest.slice(0, end < 0 ? undefined : end).some(isHelp)) return done({ command: 'help', of: command });
  const reader = new Reader(rest, environment, OPTIONS[command]);
  const settings = READ[command](reader, { terminal, colour }, surroundingsOf(environment));
  return reader.problems.length > 0 ? { ok: false, command, problems: reader.problems } : done(settings);
}

/** The flags that node was started with, for whoever has to know the size of its heap. */
export const nodeFlags = (environment: Environment = process.env): string =>
  [environment['NODE_OPTIONS'] ?? '', ...process.execArgv].join(' ');

/** What the process writes to. */
export interface Output {
  readonly terminal: boolean;
  readonly colour: boolean;
}

/** What the environment says besides the settings of our own. */
export interface Surroundings {
  /** Whether this process runs in a Pod. */
  readonly inPod: boolean;
  /** `KUBECONFIG`, as every tool reads it. */
  readonly kubeconfig: string | undefined;
  readonly proxies: ProxyVariables;
}

function surroundingsOf(environment: Environment): Surroundings {
  const named = (...names: readonly string[]): string | undefined =>
    names.map((name) => environment[name]).find((text) => text !== undefined && text !== '');
  return {
    inPod: named('KUBERNETES_SERVICE_HOST') !== undefined,
    kubeconfig: named('KUBECONFIG'),
    proxies: {
      httpsProxy: named('HTTPS_PROXY', 'https_proxy'),
      httpProxy: named('HTTP_PROXY', 'http_proxy'),
      noProxy: named('NO_PROXY', 'no_proxy'),
    },
  };
}

const OPTIONS: Readonly<Record<Command, readonly Option[]>> = { serve: SERVE, validate: VALIDATE, version: [] };

const READ: Readonly<Record<Command, (reader: Reader, output: Output, around: Surroundings) => Settings>> = {
  serve: readServe,
  validate: readValidate,
  version(reader) {
    reader.noPositionals('version takes none');
    return { command: 'version' };
  },
};

const isHelp = (word: string): boolean => word === '--help' || word === '-h';
const commandOf = (word: string | undefined): Command | undefined => COMMANDS.find((command) => command === word);
const done = (settings: Settings): ReadSettings => ({ ok: true, settings: Object.freeze(settings) });
