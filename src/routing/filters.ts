import type { Cidr } from '../resources/address-policy.ts';
import type { Cors } from '../resources/cors.ts';
import type { HeaderFilter } from '../resources/header-filters.ts';
import { lowerAscii } from '../resources/hostname.ts';
import { foldHeaderName } from '../resources/identity-headers.ts';
import { type NamespacedName, nameOf, namespaceOf } from '../resources/keys.ts';
import type { Backend } from '../resources/resource.ts';
import type { RouteFilterFields } from '../resources/route-filters.ts';
import type { PathRewrite, UpstreamHost } from '../resources/route-rewrite.ts';

/** What becomes of a request and its response besides deciding, made ready for the proxy. Plain data. */
export interface RouteFilters {
  /** Addresses that may use the Route; undefined: all. */
  readonly clients: readonly Cidr[] | undefined;
  readonly httpsRedirect: boolean;
  readonly cors: CorsPolicy | undefined;
  readonly path: PathRewrite | undefined;
  /** Whether the Service is told in `X-Forwarded-Prefix` what was taken off. */
  readonly strips: boolean;
  /** `Host` of the request to the Service; undefined: its own with a URL, the client's with a core Service. */
  readonly host: 'Client' | string | undefined;
  readonly requestHeaders: RequestHeaderChange | undefined;
  readonly responseHeaders: ResponseHeaderChange | undefined;
}

export interface RequestHeaderChange {
  /** Folded names (A040) of which nothing that the client sent goes on. */
  readonly drop: ReadonlyMap<string, true>;
  /** Whole lines, each ended by CRLF. */
  readonly lines: string;
}

export interface ResponseHeaderChange {
  /** Names in lower case. */
  readonly drop: ReadonlyMap<string, true>;
  /** Names and values in turn. */
  readonly lines: readonly string[];
}

export interface CorsPolicy {
  readonly any: boolean;
  readonly exact: ReadonlyMap<string, true>;
  /** `.example.com` of `https://*.example.com`. */
  readonly suffixes: readonly string[];
  /** Of every answer to an origin that is allowed; names and values in turn, besides the origin itself. */
  readonly answer: readonly string[];
  /** Of the answer to a preflight, besides those. */
  readonly preflight: readonly string[];
  readonly credentials: boolean;
}

/** Once per Route. `backend`: of its Service. */
export function compileFilters(fields: RouteFilterFields, backend: Backend | undefined): RouteFilters {
  return {
    clients: fields.clients,
    httpsRedirect: fields.httpsRedirect,
    cors: fields.cors && corsPolicy(fields.cors),
    path: fields.path,
    strips: fields.strips,
    host: hostOf(fields.host, backend),
    requestHeaders: fields.requestHeaders && requestChange(fields.requestHeaders),
    responseHeaders: fields.responseHeaders && responseChange(fields.responseHeaders),
  };
}

function hostOf(host: UpstreamHost | undefined, backend: Backend | undefined): RouteFilters['host'] {
  switch (host?.kind) {
    case undefined:
      return undefined;
    case 'Client':
      return 'Client';
    case 'Name':
      return host.name;
    case 'Backend':
      // That of a URL is what it has anyway.
      return backend?.kind === 'Service' ? serviceAuthority(backend.name, backend.port) : undefined;
  }
}

/** As Pods of the cluster find it, whatever its domain is called. */
const serviceAuthority = (service: NamespacedName, port: number): string =>
  `${nameOf(service)}.${namespaceOf(service)}.svc${port === 80 ? '' : `:${port}`}`;

function requestChange({ set, add, remove }: HeaderFilter): RequestHeaderChange {
  return {
    drop: names([...set.map(({ name }) => name), ...remove], foldHeaderName),
    lines: [...set, ...add].map(({ name, value }) => `${name}: ${value}\r\n`).join(''),
  };
}

function responseChange({ set, add, remove }: HeaderFilter): ResponseHeaderChange {
  return {
    drop: names([...set.map(({ name }) => name), ...remove], lowerAscii),
    lines: [...set, ...add].flatMap(({ name, value }) => [name, value]),
  };
}

const names = (all: readonly string[], fold: (name: string) => string): ReadonlyMap<string, true> =>
  new Map(all.map((name) => [fold(name), true]));

function corsPolicy(cors: Cors): CorsPolicy {
  const { allowOrigins, allowMethods, allowHeaders, exposeHeaders, allowCredentials, maxAge } = cors;
  const line = (name: string, values: readonly string[]): readonly string[] =>
    values.length === 0 ? [] : [`Access-Control-${name}`, values.join(', ')];
  return {
    any: allowOrigins.includes('*'),
    exact: new Map(allowOrigins.filter((origin) => !origin.includes('*')).map((origin) => [origin, true])),
    suffixes: allowOrigins
      .filter((origin) => origin.startsWith(WILDCARD))
      .map((origin) => origin.slice(WILDCARD.length - 1)),
    credentials: allowCredentials,
    answer: [
      ...(allowCredentials ? line('Allow-Credentials', ['true']) : []),
      ...line('Expose-Headers', exposeHeaders),
    ],
    preflight: [
      ...line('Allow-Methods', allowMethods),
      ...line('Allow-Headers', allowHeaders),
      ...(maxAge === undefined ? [] : line('Max-Age', [String(Math.floor(maxAge / 1000))])),
    ],
  };
}

const WILDCARD = 'https://*.';
