import type { ClaimNeeds, ProvenIdentity } from '../authorization/identity.ts';
import type { Hostname } from '../resources/hostname.ts';
import type { RoutePath } from '../resources/path.ts';

/** A request as deciding sees it: values, no socket. */
export interface RequestView {
  readonly method: string;
  readonly host: Hostname;
  readonly path: RoutePath;
  /**
   * The protocol that the client asks for with an upgrade (RFC 9110 section 7.8); undefined: none. No client of one follows
   * a redirect or shows a page.
   */
  readonly upgrade?: string | undefined;
  /** With its `?`, byte for byte as sent; `` where there is none. */
  readonly query: string;
  /** `name` in lower case; several lines joined with `, ` (Cookie with `; `). */
  header(name: string): string | undefined;
}

export interface DecisionContext {
  /** Outside address of this host, from configuration, never from the request: `https://shop.example.com`. */
  readonly origin: string;
  /** What this Route needs of an identity; on a reserved path, the union over all Routes of the plugin. */
  readonly needs: ClaimNeeds;
  /** Union over all Routes of the plugin: what a new session keeps. */
  readonly keeps: ClaimNeeds;
  readonly requestId: string;
}

export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

/** What a person, or a script, is told. Rendered by the proxy as a page or JSON by what the client accepts. */
export interface Notice {
  /** Stable, lower snake case; `error` of the JSON form. */
  readonly code: string;
  readonly title: string;
  /** What happened, in plain words. No values from the request, unless escaped by the renderer's own fields. */
  readonly text: string;
  /** What to do. */
  readonly advice: string | undefined;
  readonly action: NoticeAction | undefined;
}

export type NoticeAction =
  /** `href` is a checked path of the same host. */
  | { readonly kind: 'Link'; readonly label: string; readonly href: string }
  | { readonly kind: 'Form'; readonly label: string; readonly action: string };

export type Decision =
  | {
      readonly kind: 'continue';
      readonly identity: ProvenIdentity | undefined;
      /** To the upstream: identity headers of the fixed set, and `Authorization`. */
      readonly headers: readonly HeaderLine[];
      /** Whole `Set-Cookie` values, for the browser. */
      readonly cookies: readonly string[];
      /**
       * The first moment at which this decision would not be made again, in milliseconds since the epoch: what is still open
       * then is closed (A084). Undefined: none.
       */
      readonly until?: number | undefined;
    }
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly headers: readonly HeaderLine[];
      readonly cookies: readonly string[];
      /** Undefined: no body (redirects). */
      readonly notice: Notice | undefined;
      /** For log and metrics, lower snake case, of a closed set. */
      readonly outcome: string;
    };

/** `ProviderReady`, as the instance sees it. */
export interface InstanceStatus {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** What was found out on the way, for `status.checks`; each `name` once. */
  readonly checks?: readonly InstanceCheck[];
}

/** One thing that an instance found out about what it depends on. Holds no number that changes by itself. */
export interface InstanceCheck {
  /** Of a closed set of the kind, CamelCase: `Discovery`. */
  readonly name: string;
  /** Warning: it works, or may, but somebody should look. */
  readonly result: 'Passed' | 'Warning' | 'Failed' | 'Unknown';
  /** A whole sentence. */
  readonly message: string;
}

/** A running plugin. What it throws closes the door: 500, nothing is forwarded (invariant 2). */
export interface PluginInstance {
  /** Synchronous wherever a session is known. */
  decide(request: RequestView, context: DecisionContext): Decision | Promise<Decision>;
  /** Answers a path that the plugin reserved. Never `continue`. */
  answer(request: RequestView, context: DecisionContext): Decision | Promise<Decision>;
  status(): InstanceStatus;
  /** Ends timers and calls under way. */
  stop(): void;
}
