import { isIPv4, isIPv6 } from 'node:net';
import { type Milliseconds, parseDuration } from '../resources/duration.ts';
import { HEADER_NAME } from '../resources/identity-headers.ts';

/** A value, or what to write instead. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly write: string };

/** Where a listener is bound. `host` as for a socket: an IP address without brackets. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export const ok = <T>(value: T): Reading<T> => ({ ok: true, value });
export const write = (instead: string): { readonly ok: false; readonly write: string } => ({
  ok: false,
  write: instead,
});

/** `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`, which means 127.0.0.1 whatever the hosts file says. */
export function endpoint(text: string): Reading<Endpoint> {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*):([0-9]{1,5})$/.exec(text);
  const written = parts?.[1] ?? '';
  const host = written === 'localhost' ? '127.0.0.1' : written.replace(/^\[|\]$/g, '');
  const port = Number(parts?.[2] ?? 0);
  if (parts !== null && written === '')
    return write(`an address before the port: 127.0.0.1:${port}, or 0.0.0.0:${port} for every interface`);
  const known = isIPv4(host) || (isIPv6(host) && written.startsWith('['));
  if (!known || port < 1 || port > 65_535)
    return write('an IP address and a port from 1 to 65535, as in 127.0.0.1:8080 or [::1]:8080');
  return ok({ host, port });
}

/** Only this machine reaches it: 127.0.0.0/8 or ::1. */
const isLoopback = (host: string): boolean => (isIPv4(host) ? host.startsWith('127.') : host === '::1');

/** As `endpoint`, of a loopback address; undefined for `off`. */
export function loopbackEndpoint(text: string): Reading<Endpoint | undefined> {
  if (text === 'off') return ok(undefined);
  const read = endpoint(text);
  if (!read.ok || isLoopback(read.value.host)) return read;
  return write(
    `a loopback address, as in 127.0.0.1:${read.value.port}, or off: it shows every host and path to whoever reaches it`,
  );
}

/** As `endpoint`; undefined for `off`. */
export function endpointOrOff(text: string): Reading<Endpoint | undefined> {
  if (text === 'off') return ok(undefined);
  const read = endpoint(text);
  return read.ok ? read : write(`${read.write}, or off`);
}

export function port(text: string): Reading<number> {
  const value = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= 65_535 ? ok(value) : write('a port from 1 to 65535');
}

export function oneOf<T extends string>(...words: readonly T[]): (text: string) => Reading<T> {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    return word === undefined ? write(`${words.slice(0, -1).join(', ')} or ${words.at(-1)}`) : ok(word);
  };
}

export function duration(text: string): Reading<Milliseconds> {
  const value = parseDuration(text);
  return value === undefined ? write('a duration, as in 30s, 1m30s or 500ms') : ok(value);
}

/** What stands between commas, blanks around it left out. */
export const listed = (text: string): readonly string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');

export function headerNames(text: string): Reading<readonly string[]> {
  const names = listed(text);
  // A bare * would remove every header, Host and Content-Length among them.
  const wrong = names.some((name) => !HEADER_NAME.test(name) || /\*./.test(name) || name.length < 2);
  return wrong ? write('header names, comma between them, as in X-Company-User,X-Company-*') : ok(names);
}

export function className(text: string): Reading<string> {
  const fits = text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text);
  return fits ? ok(text) : write('lower-case letters, digits and hyphens, at most 63');
}

export const path = (text: string): Reading<string> => (text === '' ? write('a path') : ok(text));
