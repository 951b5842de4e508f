import type { ClaimNeeds } from '../authorization/identity.ts';
import type { Policy } from '../authorization/policy.ts';
import type { HostPattern } from '../resources/hostname.ts';
import type { NamespacedName, ObjectKey } from '../resources/keys.ts';
import type { Problem, Reason } from '../resources/problem.ts';
import type { Redacted } from '../resources/redacted.ts';
import type { Backend, HeaderMatch, PathMatch, QueryMatch, Timeouts, WebSocketRules } from '../resources/resource.ts';
import type { Bytes } from '../resources/size.ts';
import type { UpstreamSettings } from '../resources/upstream.ts';
import type { RouteFilters } from './filters.ts';
import type { PluginConfig, ReservedPath } from './plugin-rules.ts';
import type { RouteTable } from './table.ts';

export type Exposure = 'Protected' | 'Public' | 'Denied';

/** What a Route became at one host and path. Plain data. */
export interface RouteEntry {
  readonly route: NamespacedName;
  readonly host: HostPattern;
  readonly path: PathMatch;
  readonly methods: readonly string[] | undefined;
  readonly headers: readonly HeaderMatch[];
  readonly queryParams: readonly QueryMatch[] | undefined;
  readonly exposure: Exposure;
  readonly action: Action;
  /** In the order in which they decide; empty unless Protected. */
  readonly plugins: readonly ObjectKey[];
  readonly authorization: Policy | undefined;
  readonly needs: ClaimNeeds;
  /** Whether the client's `Authorization` is removed (DESIGN: A request, A041). */
  readonly removeAuthorization: boolean;
  readonly encodedSlashes: 'Reject' | 'Keep';
  /** Most bytes of a request body; undefined: what the limits of the listeners say. */
  readonly maxRequestBody: Bytes | undefined;
  /** Undefined: what holds where nothing is said (refuseUpgrade). */
  readonly websocket?: WebSocketRules | undefined;
  /** Undefined: a request and its response pass as they are. */
  readonly filters?: RouteFilters | undefined;
}

export type Action =
  | {
      readonly kind: 'Forward';
      readonly service: NamespacedName;
      readonly backend: Backend;
      readonly upstream: UpstreamSettings;
      readonly timeouts: Timeouts;
    }
  | {
      readonly kind: 'Refuse';
      readonly reason: Reason;
      /** Where it would lead, where that is known: a rewritten request must not get there in another way (A005). */
      readonly to?: { readonly backend: Backend; readonly basePath: string } | undefined;
    };

/** A plugin that at least one Protected Route names. */
export interface PluginBinding {
  readonly config: PluginConfig;
  readonly reserved: readonly ReservedPath[];
  /** Union over the Routes that name it: what a session has to keep. */
  readonly needs: ClaimNeeds;
}

/** Gateway API condition, without time: that is added where statuses are written. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** What compiling says of one object. */
export interface Verdict {
  readonly key: ObjectKey;
  readonly observedGeneration: number | undefined;
  /** Every known condition of the kind, in fixed order (ProviderReady is added by control). */
  readonly conditions: readonly Condition[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Routes only. */
  readonly exposure: Exposure | undefined;
  readonly authorization: 'Rules' | 'AnyAccount' | undefined;
  /** Routes that say which addresses may use them; a field that was pruned shows by this not being there. */
  readonly clients?: 'Listed' | undefined;
  readonly redirectURIs: readonly string[];
  /**
   * Routes of a cluster only: the hosts that the Route names and that its namespace has. Undefined where that can't be told
   * yet: what its status says stands.
   */
  readonly hosts?: readonly HostPattern[] | undefined;
  /** Plugins only: how many Routes use it. */
  readonly routes: number | undefined;
  /** Services only: where requests go, `orders:8080` or the URL. */
  readonly target?: string;
}

/** What is shown to browsers of one host of an accepted Route (`Route.tls.secretRef`). */
export interface HostCertificate {
  readonly host: HostPattern;
  readonly route: NamespacedName;
  readonly secret: NamespacedName;
  /** PEM, leaf first. Empty where there is none to be had: what was shown before stays (F50). */
  readonly certificate: string;
  /** PEM. */
  readonly key: Redacted;
}

/** Everything the proxy needs to decide requests. Immutable; replaced whole. */
export interface Snapshot {
  /** Counts publications of this process, from 1. */
  readonly generation: number;
  /** SHA-256 of the content, hex. */
  readonly hash: string;
  readonly table: RouteTable;
  readonly plugins: ReadonlyMap<ObjectKey, PluginBinding>;
  /** By host; one for each host at most. Empty in files mode. */
  readonly certificates: ReadonlyMap<HostPattern, HostCertificate>;
}

export interface Compiled {
  readonly table: RouteTable;
  readonly plugins: ReadonlyMap<ObjectKey, PluginBinding>;
  readonly certificates: ReadonlyMap<HostPattern, HostCertificate>;
  /** In no order; as of this run until the next one begins. */
  readonly verdicts: ReadonlyMap<ObjectKey, Verdict>;
  /** What is another value than in the run before, or new, or gone; undefined where there was no such run. */
  readonly changed: ChangedParts | undefined;
}

export interface ChangedParts {
  readonly hosts: ReadonlySet<HostPattern>;
  readonly plugins: ReadonlySet<ObjectKey>;
  readonly certificates: ReadonlySet<HostPattern>;
  readonly verdicts: ReadonlySet<ObjectKey>;
}
