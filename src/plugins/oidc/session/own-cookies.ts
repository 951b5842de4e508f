import { createHash } from 'node:crypto';
import { eachCookie } from './cookies.ts';
import type { CookieMode } from './outside.ts';

/** A session is split into at most this many cookies, and no more are ever read or cleared (A142). */
export const MAX_CHUNKS = 4;

/** Names of one plugin's cookies on one host (A147: the Path attribute is no border, so every plugin has its own). */
export interface CookieNames {
  /** Longest common beginning of every cookie that Postern sets. */
  readonly family: string;
  /** Of a session in one piece. */
  readonly session: string;
  /** Of its pieces: `.0` to `.3` appended. */
  readonly chunks: readonly string[];
  /** Six more characters follow. */
  readonly binding: string;
  readonly marker: string;
}

/** 48 bits of a digest tell plugins apart; what keeps their sessions apart is the associated data of the seal. */
export function cookieNames(pluginIdentity: string, mode: CookieMode): CookieNames {
  const id = createHash('sha256').update(pluginIdentity).digest('base64url').slice(0, 8);
  const family = `${mode.prefix}postern-`;
  const session = `${family}s-${id}`;
  return {
    family,
    session,
    chunks: Array.from({ length: MAX_CHUNKS }, (_, index) => `${session}.${index}`),
    binding: `${family}b-${id}-`,
    marker: `${family}m-${id}`,
  };
}

export interface OwnCookies {
  /** Session in one piece. */
  readonly whole: string | undefined;
  /** `.0`, `.1`, … without a gap. */
  readonly chunks: readonly string[];
  /** Names of all session cookies that came, to be cleared. */
  readonly sessionNames: readonly string[];
  /** Well-formed binding cookies, full name to value, in the order of the header. */
  readonly bindings: ReadonlyMap<string, string>;
  /** Names of all binding cookies that came, well-formed or not, to be pruned. */
  readonly bindingNames: readonly string[];
  readonly marker: string | undefined;
}

const SUFFIX = /^[A-Za-z0-9_-]{6}$/;
/** 128 bits. */
const BINDING_VALUE = /^[A-Za-z0-9_-]{22}$/;

/** A name that comes twice was planted by somebody (A115): neither is believed. */
export function readOwnCookies(header: string | undefined, names: CookieNames): OwnCookies {
  const found = new Map<string, string | undefined>();
  eachCookie(header, names.family, (name, value) => {
    found.set(name, found.has(name) ? undefined : value);
  });
  const chunks: string[] = [];
  const sessionNames: string[] = [];
  if (found.has(names.session)) sessionNames.push(names.session);
  let gap = false;
  for (const name of names.chunks) {
    if (!found.has(name)) gap = true;
    else sessionNames.push(name);
    const value = found.get(name);
    if (value === undefined) gap = true;
    else if (!gap) chunks.push(value);
  }
  const bindings = new Map<string, string>();
  const bindingNames: string[] = [];
  for (const [name, value] of found) {
    if (!name.startsWith(names.binding) || !SUFFIX.test(name.slice(names.binding.length))) continue;
    bindingNames.push(name);
    if (value !== undefined && BINDING_VALUE.test(value)) bindings.set(name, value);
  }
  return {
    whole: found.get(names.session),
    chunks,
    sessionNames,
    bindings,
    bindingNames,
    marker: found.get(names.marker),
  };
}
