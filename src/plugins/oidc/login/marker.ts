import { expireCookie, setCookie } from '../session/cookies.ts';
import type { OwnCookies } from '../session/own-cookies.ts';
import type { Place } from '../session/place.ts';

/**
 * The loop guard (A106): a login that succeeded leaves a short-lived marker. A login that starts while it is there means
 * that the session didn't come back or can't be used. The first one may be chance; the second gets a page, not a loop.
 * It isn't sealed: who could forge it could only bring that page about.
 */
const GUARD_TIME = 10_000;

const FORM = /^([0-9]{1,15})\.([0-9])$/;

interface Marker {
  /** When the login succeeded, in milliseconds since the epoch. */
  readonly at: number;
  /** Login starts since. */
  readonly starts: number;
}

function readMarker(own: OwnCookies, now: number): Marker | undefined {
  const match = FORM.exec(own.marker ?? '');
  if (match === null) return undefined;
  const marker = { at: Number(match[1]), starts: Number(match[2]) };
  return Math.abs(now - marker.at) < GUARD_TIME ? marker : undefined;
}

/** A success within the guard's time of an earlier one continues its count: otherwise each round of a loop would reset it. */
export const markSuccess = (own: OwnCookies, place: Place, now: number): string =>
  markerCookie(readMarker(own, now) ?? { at: now, starts: 0 }, place);

const markerCookie = (marker: Marker, place: Place): string =>
  setCookie(place.names.marker, `${marker.at}.${marker.starts}`, GUARD_TIME / 1000, place.cookies);

export const clearMarker = (place: Place): string => expireCookie(place.names.marker, place.cookies);

export type Guard = { readonly loops: boolean; readonly cookies: readonly string[] };

/** Whether a login that starts now is the second since a success; otherwise counts it, where there was one. */
export function guardStart(own: OwnCookies, place: Place, now: number): Guard {
  const marker = readMarker(own, now);
  if (marker === undefined) return { loops: false, cookies: [] };
  if (marker.starts >= 1) return { loops: true, cookies: [clearMarker(place)] };
  return { loops: false, cookies: [markerCookie({ ...marker, starts: marker.starts + 1 }, place)] };
}
