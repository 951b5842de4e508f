import type { Milliseconds } from '../../../resources/duration.ts';
import type { EgressProxy } from '../../../resources/egress-proxy.ts';
import type { RoutePath } from '../../../resources/path.ts';
import type { Redacted } from '../../../resources/redacted.ts';

/** JWS algorithms that can be allowed: asymmetric only (A120, A121). RFC 7518, RFC 8037. */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Where the access token goes on its way to the service. */
export type TokenPlacement =
  | { readonly kind: 'Bearer' }
  | { readonly kind: 'None' }
  | { readonly kind: 'Header'; readonly name: string };

/** How a claim is written into a header (A046, A047); `Json` and `Base64Json` for lists and objects. */
export type ClaimEncoding = 'Text' | 'Percent' | 'Json' | 'Base64Json';

export interface ForwardedClaim {
  /** Way into the claims, outermost first. */
  readonly claim: readonly string[];
  /** Of the fixed set of identity headers. */
  readonly header: string;
  readonly encoding: ClaimEncoding;
}

/** A compiled OidcPlugin: plain data, checked, references resolved. */
export interface OidcConfig {
  /** Compared by exact string with discovery, `iss` of responses and of ID tokens (A116, A127). */
  readonly issuer: string;
  readonly endpoints: {
    readonly authorization: string | undefined;
    readonly token: string | undefined;
    readonly jwks: string | undefined;
    readonly endSession: string | undefined;
  };
  /** Where this gateway finds the issuer, where that isn't where browsers do; undefined: at the issuer's own URL. */
  readonly internalBase: string | undefined;
  /** PEM, instead of the platform's roots; undefined: these. */
  readonly ca: string | undefined;
  /** For every call; undefined: as the process's variables say. */
  readonly proxy: EgressProxy | undefined;
  /** Whole deadline of one call to the provider. */
  readonly httpTimeout: Milliseconds;

  readonly clientId: string;
  /** The current secret first, then the previous one while a rotation is under way; empty for method `none`. */
  readonly clientSecrets: readonly Redacted[];
  readonly tokenEndpointAuthMethod: 'client_secret_basic' | 'client_secret_post' | 'none';

  readonly scopes: readonly string[];
  readonly extraParams: Readonly<Record<string, string>>;
  readonly prompt: string | undefined;

  readonly redirectPath: RoutePath;
  readonly attemptTtl: Milliseconds;

  readonly allowedAlgs: readonly Algorithm[];
  /** Accepted besides the client id. */
  readonly audiences: readonly string[];
  readonly clockTolerance: Milliseconds;
  /** Ways into the claims, outermost first. */
  readonly claims: {
    readonly username: readonly string[];
    readonly groups: readonly string[];
    readonly email: readonly string[];
  };

  readonly session: {
    readonly idleTimeout: Milliseconds;
    readonly absoluteTimeout: Milliseconds;
    readonly sameSite: 'Lax' | 'None';
  };

  readonly upstream: {
    readonly accessToken: TokenPlacement;
    /** Header of the fixed set that gets the ID token; undefined: it isn't passed on. */
    readonly idTokenHeader: string | undefined;
    readonly claims: readonly ForwardedClaim[];
  };
  /** Auto: 302 for navigations, 401 for everything else. */
  readonly unauthenticated: 'Auto' | 'Redirect' | 'Unauthorized';
  readonly logout: {
    readonly path: RoutePath;
    readonly rpInitiated: boolean;
    readonly idTokenHint: 'Auto' | 'Never';
    /** Whole URL registered at the provider; undefined: `/` of the host. */
    readonly postLogoutRedirectUri: string | undefined;
  };
  readonly insecure: {
    /** Cookies without `Secure` and prefix, for plain http on loopback names. */
    readonly httpCookies: boolean;
    /** Provider over plain http. */
    readonly httpProvider: boolean;
  };
}
