import type { ClaimNeeds } from '../../../authorization/identity.ts';
import type { Key, KeyRing } from '../../../keys/ring.ts';
import type { Decision } from '../../../routing/decision.ts';
import type { OidcConfig } from '../spec/config.ts';
import { identityOf } from './claims.ts';
import { createCookieLines } from './cookie-lines.ts';
import type { OwnCookies } from './own-cookies.ts';
import type { Place } from './place.ts';
import { hasTokens, keepsEnough, type Session, sessionEnd, wantsResealing } from './session.ts';
import { createSessionCache } from './session-cache.ts';
import { fits, openSession, sealedTexts, sealSession, sessionCookies } from './session-cookie.ts';
import { upstreamHeaders } from './upstream-headers.ts';

/** Why a request counts as one without a session; a closed set, for metrics. */
export type Absence = 'no_session' | 'session_unreadable' | 'session_expired' | 'session_incomplete';

type Found =
  | { readonly kind: 'Session'; readonly session: LiveSession; readonly sealed: string }
  /** `sealed`: what was opened but isn't used, for the hint of a logout. */
  | { readonly kind: 'None'; readonly reason: Absence; readonly sealed: string | undefined };

/** Of an opened session what requests need, made in advance, and nothing else: thousands of them are known at a time. */
interface LiveSession {
  /** `Session.kept`. */
  readonly kept: readonly string[];
  readonly endsAt: number;
  /** `continue` without cookies: the same object for every request, until the session is sealed anew. */
  decision: Extract<Decision, { kind: 'continue' }>;
  readonly host: string;
  /** The key that sealed it. */
  readonly key: Key;
  /** When it was last sealed anew, so that requests side by side do that once. */
  resealedAt: number;
}

export interface SessionsWorld {
  now(): number;
  random(bytes: number): Buffer;
  readonly keys: KeyRing;
}

export interface Sessions {
  /** What `find` and `keepAlive` would come to, where the very same line came before and neither has anything to do. */
  recall(line: string, place: Place, needs: ClaimNeeds): LiveSession | undefined;
  /** `line`: the whole Cookie line that the session was found in. */
  remember(line: string, place: Place, live: LiveSession): void;
  /** Synchronous, and without cryptography where the same cookie came before. */
  find(own: OwnCookies, place: Place, needs: ClaimNeeds): Found;
  /** `Set-Cookie` values that keep the idle time, where it is time for that; usually none. `sealed`: what it was found by. */
  keepAlive(live: LiveSession, sealed: string, own: OwnCookies, place: Place): readonly string[];
  /** Everything that is in it. */
  open(sealed: string, place: Place): Session | undefined;
}

/** Of one plugin instance. */
const CACHE_BYTES = 16 * 1024 * 1024;
/** Estimate of what an entry takes besides claims and tokens, which are in the text. */
const ENTRY_BYTES = 900;

export function createSessions(config: OidcConfig, world: SessionsWorld): Sessions {
  const cache = createSessionCache<LiveSession>(CACHE_BYTES);
  const lines = createCookieLines<LiveSession>();

  /** A key that left the ring takes its sessions with it (A149); a cookie of another host is none here (A140). */
  const isOf = (live: LiveSession, place: Place): boolean =>
    live.host === place.host && world.keys.opening(live.key.id) === live.key;

  const cachedOf = (text: string, place: Place): LiveSession | undefined => {
    const cached = cache.get(text);
    return cached !== undefined && isOf(cached, place) ? cached : undefined;
  };

  const admit = (text: string, session: Session, key: Key, place: Place): LiveSession | undefined => {
    const headers = upstreamHeaders(config, session);
    if (!hasTokens(config, session) || headers.tooLong.length > 0) return undefined;
    const live: LiveSession = {
      kept: shared(session.kept),
      endsAt: sessionEnd(config, session),
      decision: {
        kind: 'continue',
        identity: identityOf(config, session.subject, session.claims),
        headers: headers.lines,
        cookies: NO_COOKIES,
        until: sessionEnd(config, session),
      },
      host: place.host,
      key,
      resealedAt: session.sealedAt,
    };
    cache.set(text, live, ENTRY_BYTES + 2 * text.length);
    return live;
  };

  const openOne = (text: string, place: Place): LiveSession | 'unreadable' | 'incomplete' => {
    const cached = cachedOf(text, place);
    if (cached !== undefined) return cached;
    const opened = openSession(text, place, world.keys);
    if (opened === undefined) return 'unreadable';
    return admit(text, opened.session, opened.key, place) ?? 'incomplete';
  };

  return {
    recall(line, place, needs) {
      const live = lines.get(line, place.names.session);
      if (live === undefined || !isOf(live, place)) return undefined;
      const now = world.now();
      if (now >= live.endsAt || wantsResealing(config, live.resealedAt, now)) return undefined;
      return keepsEnough(config, live.kept, needs) ? live : undefined;
    },

    remember: (line, place, live) => lines.set(line, place.names.session, live),

    find(own, place, needs) {
      let reason: Absence = own.sessionNames.length === 0 ? 'no_session' : 'session_unreadable';
      let unused: string | undefined;
      const now = world.now();
      for (const text of sealedTexts(own)) {
        const opened = openOne(text, place);
        if (opened === 'unreadable') continue;
        if (opened === 'incomplete') reason = 'session_incomplete';
        else if (now >= opened.endsAt) {
          reason = 'session_expired';
          unused = text;
        } else if (!keepsEnough(config, opened.kept, needs)) {
          reason = 'session_incomplete';
          unused = text;
        } else return { kind: 'Session', session: opened, sealed: text };
      }
      return { kind: 'None', reason, sealed: unused };
    },

    open: (sealed, place) => openSession(sealed, place, world.keys)?.session,

    keepAlive(live, before, own, place) {
      const now = world.now();
      if (!wantsResealing(config, live.resealedAt, now)) return [];
      const opened = openSession(before, place, world.keys);
      if (opened === undefined) return [];
      live.resealedAt = now;
      const session = { ...opened.session, sealedAt: now };
      const sealed = sealSession(session, place, world.keys, world.random);
      if (!fits(sealed)) return [];
      admit(sealed.value, session, world.keys.sealing(), place);
      // Requests side by side come with the cookie of before; what they open lasts as long as what the browser has now.
      live.decision = { ...live.decision, until: sessionEnd(config, session) };
      return sessionCookies(sealed, own, place, secondsLeft(config, session, now));
    },
  };
}

const NO_COOKIES: readonly string[] = Object.freeze([]);

/** The same names are in every session of a time: one list is enough. */
const names = new Map<string, readonly string[]>();
const MOST_NAMES = 256;

function shared(kept: readonly string[]): readonly string[] {
  const text = JSON.stringify(kept);
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= MOST_NAMES) names.clear();
  names.set(text, kept);
  return kept;
}

/** `Max-Age` of a session's cookies: they go when it would not be used any more. */
export const secondsLeft = (config: OidcConfig, session: Session, now: number): number =>
  Math.max(1, Math.ceil((sessionEnd(config, session) - now) / 1000));
