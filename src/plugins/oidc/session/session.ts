import type { ClaimNeeds } from '../../../authorization/identity.ts';
import type { Tokens } from '../provider/provider.ts';
import type { OidcConfig } from '../spec/config.ts';
import { type Claims, claimsNeeded, pickClaims } from './claims.ts';

/** A proven identity as the browser keeps it, sealed. Times in milliseconds since the epoch. */
export interface Session {
  readonly subject: string;
  /** When the login succeeded: `absoluteTimeout` counts from here. */
  readonly createdAt: number;
  /** When it was sealed last: `idleTimeout` counts from here. */
  readonly sealedAt: number;
  /** End of life of the tokens that are passed on; undefined where none is, or the provider didn't say. */
  readonly tokensEndAt: number | undefined;
  /** Top-level claims that were asked for, whether the provider sent them or not. */
  readonly kept: readonly string[];
  readonly claims: Claims;
  /** Only where it is passed on (A150). */
  readonly accessToken: string | undefined;
  /** Where it is passed on; otherwise for the provider's logout, while it fits. */
  readonly idToken: string | undefined;
}

const forwardsAccessToken = (config: OidcConfig): boolean => config.upstream.accessToken.kind !== 'None';
const forwardsIdToken = (config: OidcConfig): boolean => config.upstream.idTokenHeader !== undefined;
const hintsIdToken = (config: OidcConfig): boolean => config.logout.rpInitiated && config.logout.idTokenHint === 'Auto';

/** A session as large as it may be: the ID token is in it where the provider's logout could use it. */
export function newSession(
  config: OidcConfig,
  keeps: ClaimNeeds,
  tokens: Tokens,
  subject: string,
  now: number,
): Session {
  const kept = claimsNeeded(config, keeps);
  return {
    subject,
    createdAt: now,
    sealedAt: now,
    tokensEndAt: tokensEnd(config, tokens),
    kept,
    claims: pickClaims(tokens.claims, kept),
    accessToken: forwardsAccessToken(config) ? tokens.accessToken : undefined,
    idToken: forwardsIdToken(config) || hintsIdToken(config) ? tokens.idToken : undefined,
  };
}

function tokensEnd(config: OidcConfig, tokens: Tokens): number | undefined {
  const { exp } = tokens.claims;
  const ends = [
    forwardsAccessToken(config) ? tokens.accessTokenExpiresAt : undefined,
    forwardsIdToken(config) && typeof exp === 'number' ? exp * 1000 : undefined,
  ].filter((end) => end !== undefined);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** The same without an ID token that is only there for the logout; undefined where there is none to leave out. */
export const withoutHint = (config: OidcConfig, session: Session): Session | undefined =>
  session.idToken === undefined || forwardsIdToken(config) ? undefined : { ...session, idToken: undefined };

/** The first moment at which it isn't used any more. */
export function sessionEnd(config: OidcConfig, session: Session): number {
  const { idleTimeout, absoluteTimeout } = config.session;
  return Math.min(
    session.sealedAt + idleTimeout,
    session.createdAt + absoluteTimeout,
    session.tokensEndAt ?? Number.POSITIVE_INFINITY,
  );
}

/** Idle time is kept by sealing anew, at most once per tenth of it. */
export const wantsResealing = (config: OidcConfig, sealedAt: number, now: number): boolean =>
  now - sealedAt >= config.session.idleTimeout / 10;

/** Whether it holds the tokens that are passed on now; a configuration can have changed since the login. */
export const hasTokens = (config: OidcConfig, session: Session): boolean =>
  (!forwardsAccessToken(config) || session.accessToken !== undefined) &&
  (!forwardsIdToken(config) || session.idToken !== undefined);

/** Whether a session kept what these needs read. What it didn't keep is unknown, not absent: no session, rather than a denial. */
export function keepsEnough(config: OidcConfig, kept: Session['kept'], needs: ClaimNeeds): boolean {
  return namesOf(config, needs).every((name) => kept.includes(name));
}

/** Needs are objects of the snapshot, the same ones for every request. */
const namesCache = new WeakMap<OidcConfig, WeakMap<ClaimNeeds, readonly string[]>>();

function namesOf(config: OidcConfig, needs: ClaimNeeds): readonly string[] {
  let cache = namesCache.get(config);
  if (cache === undefined) {
    cache = new WeakMap();
    namesCache.set(config, cache);
  }
  const known = cache.get(needs);
  if (known !== undefined) return known;
  const names = claimsNeeded(config, needs);
  cache.set(needs, names);
  return names;
}
