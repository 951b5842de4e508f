import type { Key, KeyRing } from '../../../keys/ring.ts';
import { open, seal } from '../../../keys/seal.ts';
import { expireCookie, setCookie } from './cookies.ts';
import { MAX_CHUNKS, type OwnCookies } from './own-cookies.ts';
import type { Place } from './place.ts';
import type { Session } from './session.ts';
import { decodeSession, encodeSession } from './session-codec.ts';

const PURPOSE = 'session v1';
/** Browsers drop a cookie of more than 4096 bytes; name and attributes need some of them. */
const CHUNK = 3800;
/** All cookies of a session, as they come back in one header: front ends cap the whole line at 8 KB. */
const MAX_SESSION_BYTES = 6000;

export interface SealedSession {
  /** Whole sealed text. */
  readonly value: string;
  /** Name and piece; one name without number where one cookie is enough. */
  readonly cookies: readonly { readonly name: string; readonly value: string }[];
  /** In a Cookie header. */
  readonly bytes: number;
}

/** May be larger than `MAX_SESSION_BYTES`: the caller asks. */
export function sealSession(
  session: Session,
  place: Place,
  keys: KeyRing,
  random: (n: number) => Buffer,
): SealedSession {
  const value = seal(keys.sealing(), PURPOSE, associated(place), encodeSession(session), random);
  const pieces = value.match(new RegExp(`.{1,${CHUNK}}`, 'g')) ?? [];
  const cookies = pieces.map((piece, index) => ({
    name: (pieces.length === 1 ? undefined : place.names.chunks[index]) ?? place.names.session,
    value: piece,
  }));
  const bytes = cookies.reduce((sum, cookie) => sum + cookie.name.length + cookie.value.length + 3, 0);
  return { value, cookies, bytes };
}

export const fits = (sealed: SealedSession): boolean =>
  sealed.bytes <= MAX_SESSION_BYTES && sealed.cookies.length <= MAX_CHUNKS;

/** `Set-Cookie` values that put this session in the place of any other (A141): pieces of an older one go. */
export function sessionCookies(
  sealed: SealedSession,
  own: OwnCookies,
  place: Place,
  seconds: number,
): readonly string[] {
  const names = new Set(sealed.cookies.map((cookie) => cookie.name));
  return [
    ...sealed.cookies.map((cookie) => setCookie(cookie.name, cookie.value, seconds, place.cookies)),
    ...own.sessionNames.filter((name) => !names.has(name)).map((name) => expireCookie(name, place.cookies)),
  ];
}

/** Every name that a session of this plugin can have, whether it came or not. */
export const clearSession = (place: Place): readonly string[] =>
  [place.names.session, ...place.names.chunks].map((name) => expireCookie(name, place.cookies));

/** Sealed texts that the request may mean, at most two: one piece, or several. */
export function sealedTexts(own: OwnCookies): readonly string[] {
  const joined = own.chunks.length === 0 ? undefined : own.chunks.join('');
  return [own.whole, joined].filter((text): text is string => text !== undefined && text.length <= MAX_SESSION_BYTES);
}

export interface OpenedSession {
  readonly session: Session;
  readonly key: Key;
}

/** Anything wrong with it is one answer: there is none (A140). */
export function openSession(value: string, place: Place, keys: KeyRing): OpenedSession | undefined {
  const opened = open(keys, PURPOSE, associated(place), value);
  const session = opened === undefined ? undefined : decodeSession(opened.plaintext);
  return opened === undefined || session === undefined ? undefined : { session, key: opened.key };
}

/** The cookie's name is bound by plugin and prefix; a piece has no meaning but in the whole. */
const associated = (place: Place): Buffer => place.bind(`${PURPOSE} ${place.names.session}`);
