import { expireCookie, setCookie } from '../session/cookies.ts';
import type { OwnCookies } from '../session/own-cookies.ts';
import type { Place } from '../session/place.ts';

/** The cookie that ties login attempts to a browser. It proves nothing but that the browser is the same. */
export interface Binding {
  /** Whole cookie name. */
  readonly name: string;
  readonly value: string;
}

/** Kept when a login succeeds: other tabs may still be under way. */
const KEPT = 5;
/** Of one answer: with a session it stays under 16 KB, whatever names the request was full of (A142). */
const MAX_EXPIRED = 95;

/**
 * The one that the request brings, or a new one. Tabs opened one after another share one; tabs opened together in a
 * fresh browser each get a name of their own, for under one fixed name the last answer would overwrite the others (A096).
 */
export function findOrMintBinding(own: OwnCookies, place: Place, random: (bytes: number) => Buffer): Binding {
  for (const [name, value] of own.bindings) return { name, value };
  const suffix = random(6).toString('base64url').slice(0, 6);
  return { name: place.names.binding + suffix, value: random(16).toString('base64url') };
}

/** Also for one that the browser has already: its life has to reach to the end of this attempt. */
export const bindingCookie = (binding: Binding, place: Place, seconds: number): string =>
  setCookie(binding.name, binding.value, seconds, place.cookies);

/** Expires all but the one just used and the latest others (A097). */
export function pruneBindings(own: OwnCookies, used: string, place: Place): readonly string[] {
  const others = own.bindingNames.filter((name) => name !== used);
  const excess = Math.max(0, others.length - (KEPT - 1));
  return others.slice(0, Math.min(excess, MAX_EXPIRED)).map((name) => expireCookie(name, place.cookies));
}

/** For a logout. */
export const clearBindings = (own: OwnCookies, place: Place): readonly string[] =>
  own.bindingNames.slice(0, MAX_EXPIRED).map((name) => expireCookie(name, place.cookies));
