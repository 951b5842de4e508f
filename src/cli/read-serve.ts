import type { AddressPolicy } from '../resources/address-policy.ts';
import { milliseconds } from '../resources/duration.ts';
import { NO_PROXY, type ProxyRules, readProxyRules } from '../resources/egress-proxy.ts';
import type { ExternalAddress } from '../resources/external.ts';
import { DEFAULT_CLASS } from '../resources/metadata.ts';
import type { RoutePath } from '../resources/path.ts';
import type { FilesSettings, Output, ServeSettings, Surroundings } from '../settings.ts';
import * as network from './network-values.ts';
import { SERVE } from './options.ts';
import { readKubernetes } from './read-kubernetes.ts';
import { readLimits } from './read-limits.ts';
import type { Reader } from './reader.ts';
import * as values from './values.ts';

export function readServe(reader: Reader, output: Output, around: Surroundings): ServeSettings {
  reader.noPositionals('the directory of the objects is named with --files DIR');
  const from = originOf(reader, around);
  reader.only(from, SERVE);
  const defaults = DEFAULTS[from];
  const listen = reader.value('listen', values.endpoint, defaults.listen);
  const className = reader.value('class', values.className, DEFAULT_CLASS);
  const settings: ServeSettings = {
    command: 'serve',
    listen,
    admin: reader.value('admin', values.endpoint, defaults.admin),
    debug: reader.value('debug', values.loopbackEndpoint, { host: '127.0.0.1', port: 9091 }),
    external: readExternal(reader, defaults.scheme, listen.port),
    healthPath: reader.value<RoutePath | undefined>('health-path', network.healthPath, undefined),
    trustedProxies: reader.value('trusted-proxies', network.cidrs, []),
    proxyProtocol: reader.value('proxy-protocol', network.listenerNames, []),
    forwardedHeader: reader.value('forwarded-header', values.oneOf('on', 'off'), 'off') === 'on',
    identityHeaders: reader.value('identity-headers', values.headerNames, []),
    urlBackends: reader.value('url-backends', network.addressPolicy, defaults.urlBackends),
    providerAddresses: reader.value('provider-addresses', network.addressPolicy, ANY),
    proxies: readProxies(reader, around),
    limits: readLimits(reader),
    class: className,
    logLevel: reader.value('log-level', values.oneOf('debug', 'info', 'warn', 'error'), 'info'),
    logFormat: reader.value('log-format', values.oneOf('json', 'text'), output.terminal ? 'text' : 'json'),
    colour: output.colour,
    grace: reader.value('grace', values.duration, defaults.grace),
    drain: reader.value('drain', values.duration, milliseconds(30_000)),
    origin: from === 'files' ? readFiles(reader) : readKubernetes(reader, className, around),
  };
  checkProxyProtocol(reader, settings);
  reader.different([
    ['listen', settings.listen],
    ['listen-https', settings.origin.kind === 'Kubernetes' ? settings.origin.https : undefined],
    ['admin', settings.admin],
    ['debug', settings.debug],
  ]);
  return settings;
}

/** In a Pod nobody has to say where the objects are; anywhere else both are a choice. */
function originOf(reader: Reader, around: Surroundings): 'files' | 'kubernetes' {
  const files = reader.where('files');
  const kubernetes = reader.flag('kubernetes');
  if (files !== undefined && kubernetes === true)
    reader.problems.push(`${files}: the objects come from here or from --kubernetes: write one of the two`);
  if (files !== undefined) return 'files';
  return (kubernetes ?? around.inPod) ? 'kubernetes' : 'files';
}

function readFiles(reader: Reader): FilesSettings {
  return {
    kind: 'Files',
    directory: reader.required(
      'files',
      values.path,
      'the directory of the objects, or --kubernetes for those of a cluster',
    ),
    keysFile: reader.value<string | undefined>('keys-file', values.path, undefined),
  };
}

/** Nobody could connect, or nobody would be asked for a header: neither is what was meant. */
function checkProxyProtocol(reader: Reader, { proxyProtocol, trustedProxies, origin }: ServeSettings): void {
  const where = reader.where('proxy-protocol');
  if (proxyProtocol.length > 0 && trustedProxies.length === 0)
    reader.problems.push(
      `${where}: nobody may say who the client is: write --trusted-proxies too, the networks of the load balancers`,
    );
  if (proxyProtocol.includes('https') && (origin.kind === 'Files' || origin.https === undefined))
    reader.problems.push(`${where}: there is no listener https here: write http`);
}

function readProxies(reader: Reader, { proxies }: Surroundings): ProxyRules {
  const read = readProxyRules(proxies);
  if (read.ok) return read.rules;
  reader.problems.push(...read.faults);
  return NO_PROXY;
}

/** Where https is spoken, it is at the usual port, whoever ends TLS. */
export function readExternal(reader: Reader, fallback: 'http' | 'https', ownPort: number): ExternalAddress {
  const scheme = reader.value('external-scheme', values.oneOf('http', 'https'), fallback);
  return { scheme, port: reader.value('external-port', values.port, scheme === 'https' ? 443 : ownPort) };
}

interface Defaults {
  readonly listen: values.Endpoint;
  readonly admin: values.Endpoint;
  readonly scheme: 'http' | 'https';
  readonly urlBackends: AddressPolicy;
  readonly grace: ReturnType<typeof milliseconds>;
}

const ANY: AddressPolicy = { kind: 'Any' };

const DEFAULTS: Readonly<Record<'files' | 'kubernetes', Defaults>> = {
  files: {
    listen: { host: '127.0.0.1', port: 8080 },
    admin: { host: '127.0.0.1', port: 9090 },
    scheme: 'http',
    urlBackends: ANY,
    grace: milliseconds(0),
  },
  kubernetes: {
    listen: { host: '0.0.0.0', port: 8080 },
    admin: { host: '0.0.0.0', port: 9090 },
    scheme: 'https',
    urlBackends: { kind: 'Public' },
    // A Pod that ends is still sent connections until every node and load balancer has heard of it.
    grace: milliseconds(10_000),
  },
};
