import type { ExternalAddress } from '../resources/external.ts';
import type { Hostname } from '../resources/hostname.ts';
import { lowerAscii } from '../resources/hostname.ts';
import type { RoutePath } from '../resources/path.ts';
import type { BackendUrl } from '../resources/resource.ts';
import type { HeaderLine } from '../routing/decision.ts';
import type { RequestHeaderChange, RouteFilters } from '../routing/filters.ts';
import { isOurCookie, withoutOurCookies } from './cookies.ts';
import { forwardedLine } from './forwarded.ts';
import { type CheckedHead, isFieldValue } from './gate.ts';
import type { HeaderClassifier } from './header-class.ts';
import { loopLine } from './loop.ts';
import { rememberNames } from './name-memo.ts';

/** What the proxy itself says of a request to an upstream. */
export interface Injection {
  /** `Host` of the upstream: its own authority; the client's host goes as `X-Forwarded-Host`. */
  readonly authority: string;
  /** The client's address, and before ours those of proxies that are trusted. */
  readonly forwardedFor: string;
  readonly host: Hostname;
  /** Whether `Forwarded` says the same as `X-Forwarded-*`. */
  readonly forwardedHeader: boolean;
  readonly external: ExternalAddress;
  readonly requestId: string;
  readonly plugins: PluginHeaders;
  /** Whether the client's own `Authorization` stays behind (A041). */
  readonly removeAuthorization: boolean;
  /** What the Route changes of the client's headers. */
  readonly change?: RequestHeaderChange | undefined;
  /** Path that was taken off, for the Service to put before its links. */
  readonly prefix?: RoutePath | undefined;
}

/**
 * Headers of a request on their way to an upstream, as text, each line ended by CRLF. First goes what is of this
 * connection and what the client nominated in `Connection`, then identity in every spelling, then forwarding headers; then
 * the Route changes what is left; ours come last, so that nothing the client nominates can take one away (A042). Framing is the forwarder's. Every value was
 * looked at: the client's by the gate, the plugins' when their text was made.
 */
export function upstreamHeaders(head: CheckedHead, injection: Injection): string {
  const { headers, infos } = head;
  const { change, external, host, plugins } = injection;
  const nominated = nominatedBy(head);
  const authorizes = injection.removeAuthorization || plugins.authorizes;
  let out = `Host: ${injection.authority}\r\n`;
  let loop = '';
  for (let i = 0; i < infos.length; i++) {
    const info = infos[i];
    // A client could nominate it, so that nobody behind us could tell that the request goes round.
    if (info === undefined || (nominated?.has(info.name) === true && info.kind !== 'Loop')) continue;
    const name = headers[2 * i] ?? '';
    const value = headers[2 * i + 1] ?? '';
    if (info.kind === 'Pass') {
      if (change?.drop.has(info.folded) !== true) out += `${name}: ${value}\r\n`;
    } else if (info.kind === 'Authorization') {
      if (!authorizes) out += `${name}: ${value}\r\n`;
    } else if (info.kind === 'Cookie') {
      const rest = withoutOurCookies(value);
      if (rest !== undefined) out += `${name}: ${rest}\r\n`;
    } else if (info.kind === 'Loop') loop += loop === '' ? value : `, ${value}`;
  }
  if (change !== undefined) out += change.lines;
  if (injection.prefix !== undefined) out += `X-Forwarded-Prefix: ${injection.prefix}\r\n`;
  const usual = external.port === (external.scheme === 'https' ? 443 : 80);
  const outside = usual ? host : `${host}:${external.port}`;
  const forwarded = injection.forwardedHeader ? forwardedLine(injection.forwardedFor, outside, external.scheme) : '';
  return `${out}${forwarded}X-Forwarded-For: ${injection.forwardedFor}\r\nX-Forwarded-Proto: ${external.scheme}\r\nX-Forwarded-Host: ${outside}\r\nX-Forwarded-Port: ${external.port}\r\nX-Request-Id: ${injection.requestId}\r\n${loopLine(loop)}${plugins.text}`;
}

/** Header names that the client nominated as being of this connection only, in lower case; undefined: none. */
function nominatedBy(head: CheckedHead): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let i = 0; i < head.infos.length; i++) {
    if (head.infos[i]?.kind === 'Connection') names = nominate(head.headers[2 * i + 1] ?? '', names);
  }
  return names;
}

function nominate(value: string, names: Set<string> | undefined): Set<string> | undefined {
  if (value === 'keep-alive' || value === 'close') return names;
  const all = names ?? new Set<string>();
  for (const option of value.split(',')) all.add(lowerAscii(option.trim()));
  return all;
}

/** Header lines of plugins, checked, as they are sent. */
export interface PluginHeaders {
  readonly text: string;
  /** `Authorization` is among them: the client's own stays behind. */
  readonly authorizes: boolean;
}

export const NO_PLUGIN_HEADERS: PluginHeaders = { text: '', authorizes: false };

/** A known session brings the same array with every request: checking and joining it once saves 2 µs each time. */
const remembered = new WeakMap<readonly HeaderLine[], PluginHeaders>();

/**
 * A plugin may write identity headers of the fixed set and `Authorization`, with values that can stand on a header line
 * (A046, T18). Throws otherwise, without a value in the message: nothing is forwarded then. `lines` are not changed later.
 */
export function pluginHeaders(lines: readonly HeaderLine[], classify: HeaderClassifier): PluginHeaders {
  const known = remembered.get(lines);
  if (known !== undefined) return known;
  let text = '';
  let authorizes = false;
  for (const { name, value } of lines) {
    const { kind } = classify(name);
    if (kind !== 'Identity' && kind !== 'Authorization') throw new Error(`a plugin may not write the header ${name}`);
    if (!isFieldValue(value)) throw new Error(`the value of ${name} can't be sent as a header`);
    text += `${name}: ${value}\r\n`;
    authorizes ||= kind === 'Authorization';
  }
  const made = { text, authorizes };
  remembered.set(lines, made);
  return made;
}

/** RFC 9110 section 7.2: authority of an upstream, with the port where it isn't the scheme's own. */
export function authorityOf(backend: BackendUrl): string {
  const host = backend.host.includes(':') ? `[${backend.host}]` : backend.host;
  return backend.port === (backend.scheme === 'https' ? 443 : 80) ? host : `${host}:${backend.port}`;
}

type ResponseKind = 'Pass' | 'Drop' | 'Connection' | 'SetCookie' | 'Caching';

const RESPONSE_KINDS: ReadonlyMap<string, ResponseKind> = new Map([
  ['connection', 'Connection'],
  ['keep-alive', 'Drop'],
  ['proxy-connection', 'Drop'],
  ['proxy-authenticate', 'Drop'],
  ['proxy-authentication-info', 'Drop'],
  ['transfer-encoding', 'Drop'],
  ['te', 'Drop'],
  ['trailer', 'Drop'],
  ['upgrade', 'Drop'],
  ['content-length', 'Drop'],
  ['x-request-id', 'Drop'],
  ['set-cookie', 'SetCookie'],
  ['cache-control', 'Caching'],
  ['expires', 'Caching'],
]);

const responseKind = rememberNames((spelling): { readonly name: string; readonly kind: ResponseKind } => {
  const name = lowerAscii(spelling);
  return { name, kind: RESPONSE_KINDS.get(name) ?? 'Pass' };
});

/**
 * Headers of a response on their way to the client, names and values in turn; framing is the front's. Cookies of ours that
 * the upstream tries to set are dropped. Where plugins set some (`cookies`), no cache may keep the response, or it would
 * hand one user's session to another. `cors`: lines that say which page may read it, where the Route has `cors`; what the
 * upstream says of that goes, or browsers would find two answers.
 */
export function clientHeaders(
  upstream: readonly string[],
  cookies: readonly string[],
  requestId: string,
  filters?: RouteFilters,
  cors: readonly string[] = [],
): string[] {
  const change = filters?.responseHeaders;
  const ownCors = filters?.cors !== undefined;
  let nominated: Set<string> | undefined;
  for (let i = 0; i < upstream.length; i += 2) {
    if (responseKind(upstream[i] ?? '').kind === 'Connection') nominated = nominate(upstream[i + 1] ?? '', nominated);
  }
  const out: string[] = [];
  for (let i = 0; i < upstream.length; i += 2) {
    const spelling = upstream[i] ?? '';
    const value = upstream[i + 1] ?? '';
    const { name, kind } = responseKind(spelling);
    if (nominated?.has(name) === true || change?.drop.has(name) === true) continue;
    if (ownCors && name.startsWith('access-control-')) continue;
    if (kind === 'Pass') out.push(spelling, value);
    else if (kind === 'SetCookie') {
      if (!isOurCookie(value)) out.push(spelling, value);
    } else if (kind === 'Caching' && cookies.length === 0) out.push(spelling, value);
  }
  if (change !== undefined) addChanged(out, change.lines, cookies.length > 0);
  for (const line of cors) out.push(line);
  out.push('X-Request-Id', requestId);
  if (cookies.length > 0) out.push('Cache-Control', 'no-store');
  for (const cookie of cookies) out.push('Set-Cookie', cookie);
  return out;
}

/** `uncached`: the response carries a session, so no Route lets a cache keep it (A105). */
function addChanged(out: string[], lines: readonly string[], uncached: boolean): void {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? '';
    if (!uncached || responseKind(name).kind !== 'Caching') out.push(name, lines[i + 1] ?? '');
  }
}
