import type { Milliseconds } from './duration.ts';
import type { HostPattern } from './hostname.ts';
import type { NamespacedName, ObjectKey } from './keys.ts';
import type { Metadata } from './metadata.ts';
import type { RoutePath } from './path.ts';
import type { Problem } from './problem.ts';
import type { Redacted } from './redacted.ts';
import type { AuthorizationSpec } from './route.ts';
import type { RouteFilterFields } from './route-filters.ts';
import type { Bytes } from './size.ts';
import type { UpstreamPolicy, UpstreamTlsRefs } from './upstream.ts';

/** A parsed, valid object: every value in it was checked. References in it are not resolved yet. */
export type Resource =
  | ServiceResource
  | RouteResource
  | PluginResource
  | SecretResource
  | CoreServiceResource
  | ReferenceGrantResource;

interface Base {
  readonly key: ObjectKey;
  readonly name: NamespacedName;
  readonly meta: Metadata;
}

export interface PluginRef {
  readonly kind: string;
  readonly name: NamespacedName;
}

export interface PlainPath {
  readonly type: 'Exact' | 'Prefix';
  readonly value: RoutePath;
}
/** Matches whole canonical paths. `steps`: instructions of its program, which is what a character of a path costs at most. */
export interface PatternPath {
  readonly type: 'RegularExpression';
  readonly value: string;
  readonly steps: number;
}
export type PathMatch = PlainPath | PatternPath;

/** `name` in ASCII lower case. */
export interface HeaderMatch {
  readonly name: string;
  readonly value: string;
}

/** `value` decoded: as it is meant. */
export interface QueryMatch {
  readonly name: string;
  readonly value: string;
}

/** `url` of a Service, taken apart. `host` as for a socket (no brackets); `basePath` without a trailing slash, or ``. */
export interface BackendUrl {
  readonly kind: 'Url';
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly basePath: string;
  /** What is spoken to it. Undefined: HTTP/1.1, over TLS where the scheme is https. */
  readonly protocol?: UpstreamProtocol | undefined;
}
export interface BackendService {
  readonly kind: 'Service';
  readonly name: NamespacedName;
  readonly port: number;
  /** Undefined: http. */
  readonly protocol?: UpstreamProtocol | undefined;
}
/** `http`, `https`: HTTP/1.1; `h2c`, `h2`: HTTP/2. `https` and `h2` over TLS. */
export type UpstreamProtocol = 'http' | 'https' | 'h2c' | 'h2';
export type Backend = BackendUrl | BackendService;

export interface Timeouts {
  readonly connect: Milliseconds;
  readonly response: Milliseconds;
  readonly idle: Milliseconds;
  /** Of the whole exchange; absent: as long as it takes. */
  readonly request?: Milliseconds | undefined;
}

export interface ServiceUpstream {
  readonly policy: UpstreamPolicy;
  /** Defined exactly where the connections are over TLS. */
  readonly tls: UpstreamTlsRefs | undefined;
}

/** Which upgrades a Route lets through. */
export interface WebSocketRules {
  readonly enabled: boolean;
  /** Origins besides the Route's own, `*` for all; undefined: nothing is said. */
  readonly allowedOrigins: readonly string[] | undefined;
}

export interface ServiceResource extends Base {
  readonly kind: 'Service';
  readonly backend: Backend;
  readonly upstream: ServiceUpstream;
  readonly timeouts: Timeouts;
  readonly plugins: readonly PluginRef[];
}

export interface RouteTimeouts {
  readonly response: Milliseconds | undefined;
  readonly idle: Milliseconds | undefined;
  readonly request?: Milliseconds | undefined;
}

export interface RouteResource extends Base {
  readonly kind: 'Route';
  readonly hosts: readonly HostPattern[];
  /** Hosts that `status` says its namespace holds, whether or not the Route still names them; none in files mode. */
  readonly heldHosts: readonly HostPattern[];
  readonly paths: readonly PathMatch[];
  /** Undefined: every method. */
  readonly methods: readonly string[] | undefined;
  readonly headers: readonly HeaderMatch[];
  /** Undefined: none, as for nearly every Route. */
  readonly queryParams: readonly QueryMatch[] | undefined;
  readonly service: NamespacedName;
  readonly plugins: readonly PluginRef[];
  readonly access: 'Public' | undefined;
  readonly clientAuthorization: 'Pass' | undefined;
  readonly authorization: AuthorizationSpec | undefined;
  readonly encodedSlashes: 'Reject' | 'Keep';
  /** Undefined: what the limits of the listeners say. */
  readonly maxRequestBody: Bytes | undefined;
  readonly websocket: WebSocketRules | undefined;
  /** The certificate for its hosts: a Secret of type kubernetes.io/tls of its namespace. */
  readonly tlsSecret: NamespacedName | undefined;
  /** Undefined: those of the Service. */
  readonly timeouts: RouteTimeouts;
  /** Undefined: a request and its response pass as they are. */
  readonly filters: RouteFilterFields | undefined;
}

/** An object of one of the plugin kinds; only its kind knows the shape of `spec` (plugins/contract.ts). */
export interface PluginResource extends Base {
  readonly kind: 'Plugin';
  readonly pluginKind: string;
  readonly spec: unknown;
}

/** A core Secret. */
export interface SecretResource extends Base {
  readonly kind: 'Secret';
  /** `Opaque`, `kubernetes.io/tls`, … */
  readonly type: string;
  /** Whether its owner said that plugins may use it (label `postern.dev/secret: "true"`); files need no label. */
  readonly labelled: boolean;
  readonly data: ReadonlyMap<string, Redacted>;
}

/** A core Service, as far as a backendRef needs it. Key: `CoreService/<namespace>/<name>`. */
export interface CoreServiceResource extends Base {
  readonly kind: 'CoreService';
  /** ExternalName leads wherever DNS says, past every rule on addresses (A174). */
  readonly externalName: boolean;
  readonly ports: readonly number[];
}

/** Gateway API: what objects of other namespaces may name of this one. */
export interface ReferenceGrantResource extends Base {
  readonly kind: 'ReferenceGrant';
  readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
  /** `name` undefined: every object of the kind. */
  readonly to: readonly { readonly group: string; readonly kind: string; readonly name: string | undefined }[];
}

/** As much of a list as can be read; `complete` is false where it, or one of its members, can't be. */
export interface Readable<T> {
  readonly known: readonly T[];
  readonly complete: boolean;
}

/**
 * What can be read of an object that is not valid, so that what is broken still closes its place (DESIGN: Exposure).
 * What can't be read closes more, never less.
 */
export type Claim =
  | {
      readonly kind: 'Route';
      readonly hosts: Readable<HostPattern>;
      /** As of a valid Route. */
      readonly heldHosts: readonly HostPattern[];
      readonly paths: Readable<PathMatch>;
      /** Of the table, as many as it may have had before it broke. */
      readonly places: number;
      readonly service: NamespacedName | undefined;
      readonly plugins: Readable<PluginRef>;
    }
  | { readonly kind: 'Service'; readonly backend: Backend | undefined; readonly plugins: Readable<PluginRef> }
  | { readonly kind: 'Plugin'; readonly pluginKind: string }
  | { readonly kind: 'Secret' }
  | { readonly kind: 'CoreService' }
  | { readonly kind: 'ReferenceGrant' };

/** An object as its source gave it, after parsing. */
export type Parsed =
  | { readonly ok: true; readonly value: Resource }
  | {
      readonly ok: false;
      readonly key: ObjectKey;
      readonly name: NamespacedName;
      readonly meta: Metadata;
      readonly problems: readonly Problem[];
      readonly claim: Claim;
    };
