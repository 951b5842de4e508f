import type { ClaimNeeds } from '../../../authorization/identity.ts';
import type { Tokens } from '../provider/provider.ts';
import type { Place } from '../session/place.ts';
import { newSession, type Session, withoutHint } from '../session/session.ts';
import { fits, type SealedSession, sealSession } from '../session/session-cookie.ts';
import type { SessionsWorld } from '../session/sessions.ts';
import { isWritableToken, upstreamHeaders } from '../session/upstream-headers.ts';
import type { OidcConfig } from '../spec/config.ts';

/** What came of tokens. */
export type MadeSession =
  | {
      readonly kind: 'Made';
      readonly session: Session;
      readonly sealed: SealedSession;
      /** Headers that their encoding can't write, by name. */
      readonly omitted: readonly string[];
    }
  /** The largest parts, in words without values (A144). */
  | { readonly kind: 'TooLarge'; readonly parts: readonly string[] }
  /** Names of headers (A046). */
  | { readonly kind: 'ClaimTooLong'; readonly headers: readonly string[] }
  | { readonly kind: 'UnwritableToken' };

export const isSubject = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** The ID token that is there for the provider's logout only is the first thing to go where not all fits. */
export function makeSession(
  config: OidcConfig,
  keeps: ClaimNeeds,
  tokens: Tokens,
  subject: string,
  place: Place,
  world: SessionsWorld,
  now: number,
): MadeSession {
  const whole = newSession(config, keeps, tokens, subject, now);
  if ([whole.accessToken, whole.idToken].some((token) => token !== undefined && !isWritableToken(token)))
    return { kind: 'UnwritableToken' };
  const { tooLong, omitted } = upstreamHeaders(config, whole);
  if (tooLong.length > 0) return { kind: 'ClaimTooLong', headers: tooLong };

  for (const session of [whole, withoutHint(config, whole)]) {
    if (session === undefined) continue;
    const sealed = sealSession(session, place, world.keys, world.random);
    if (fits(sealed)) return { kind: 'Made', session, sealed, omitted: omitted.map(({ header }) => header) };
  }
  return { kind: 'TooLarge', parts: largestParts(withoutHint(config, whole) ?? whole) };
}

/** Claim names are those of the configuration and of Routes, not of a request. */
function largestParts({ accessToken, idToken, claims }: Session): readonly string[] {
  const sizes: (readonly [name: string, bytes: number])[] = [
    ['the access token', accessToken?.length ?? 0],
    ['the ID token', idToken?.length ?? 0],
    ...Object.entries(claims).map(([name, value]) => [`the claim ${name}`, JSON.stringify(value).length] as const),
  ];
  return sizes
    .filter(([, bytes]) => bytes > 256)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([name, bytes]) => `${name} (${(bytes / 1000).toFixed(1)} KB)`);
}
