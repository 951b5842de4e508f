import { inCidr, parseCidr } from './address-policy.ts';
import { Redacted } from './redacted.ts';

/** A proxy for calls to the outside. */
export interface EgressProxy {
  /** How the proxy itself is spoken to. */
  readonly scheme: 'http' | 'https';
  /** As for a socket: no brackets. */
  readonly host: string;
  readonly port: number;
  /** `user:password`. */
  readonly credentials: Redacted | undefined;
}

/** Which calls go through which proxy. */
export interface ProxyRules {
  readonly forHttps: EgressProxy | undefined;
  readonly forHttp: EgressProxy | undefined;
  readonly exceptions: readonly ProxyException[];
}

/** What is called without a proxy. `port` undefined: every one. */
export interface ProxyException {
  /** An address or CIDR; or a name in lower case: `.x` for what is below it, `x` for itself too, `*` for everything. */
  readonly host: string;
  readonly port: number | undefined;
}

export const NO_PROXY: ProxyRules = { forHttps: undefined, forHttp: undefined, exceptions: [] };

export type ReadProxy =
  | { readonly ok: true; readonly proxy: EgressProxy }
  /** `fault` goes on a sentence that names the setting, and holds nothing of the text, which may hold a password. */
  | { readonly ok: false; readonly fault: string };

/** `http://proxy.example:3128`; without a scheme it is http, as curl and Go have it. */
export function readEgressProxy(text: string): ReadProxy {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  const scheme = url?.protocol.slice(0, -1);
  if (url === null || (scheme !== 'http' && scheme !== 'https')) {
    return { ok: false, fault: 'must be the URL of an http proxy, as in http://proxy.example:3128' };
  }
  if (url.search !== '' || url.hash !== '' || url.pathname !== '/') {
    return { ok: false, fault: 'must end after the port; leave out path, query and fragment' };
  }
  const credentials = readCredentials(url);
  if (credentials === null) return { ok: false, fault: 'has a user name or password with a % that begins no escape' };
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  return { ok: true, proxy: { scheme, host: url.hostname.replace(/^\[|\]$/g, ''), port, credentials } };
}

function readCredentials({ username, password }: URL): Redacted | undefined | null {
  if (username === '' && password === '') return undefined;
  try {
    return new Redacted(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  } catch {
    return null;
  }
}

export interface ProxyVariables {
  readonly httpsProxy: string | undefined;
  readonly httpProxy: string | undefined;
  readonly noProxy: string | undefined;
}

/** The rules that the variables make; empty ones count as unset. `faults` name the variable. */
export function readProxyRules(
  variables: ProxyVariables,
): { readonly ok: true; readonly rules: ProxyRules } | { readonly ok: false; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const read = (name: string, text: string | undefined): EgressProxy | undefined => {
    if (text === undefined || text.trim() === '') return undefined;
    const found = readEgressProxy(text.trim());
    if (found.ok) return found.proxy;
    faults.push(`${name} ${found.fault}`);
    return undefined;
  };
  const forHttps = read('HTTPS_PROXY', variables.httpsProxy);
  const forHttp = read('HTTP_PROXY', variables.httpProxy);
  const exceptions = (variables.noProxy ?? '').split(/[\s,]+/).flatMap((text) => exceptionOf(text.toLowerCase()));
  return faults.length > 0 ? { ok: false, faults } : { ok: true, rules: { forHttps, forHttp, exceptions } };
}

/** Go's reading, which operators of clusters know: `x`, `.x`, `*.x`, `*`, an address, a CIDR, each with `:port` or not. */
function exceptionOf(text: string): readonly ProxyException[] {
  if (text === '') return [];
  const bracketed = /^\[([^\]]+)\](?::([0-9]{1,5}))?$/.exec(text);
  const [, host, port] = bracketed ?? /^([^:]+)(?::([0-9]{1,5}))?$/.exec(text) ?? [undefined, text, undefined];
  if (host === undefined) return [];
  return [{ host: host.replace(/^\*\./, '.').replace(/\.$/, ''), port: port === undefined ? undefined : Number(port) }];
}

/** The proxy for a call; undefined: none. `host` as for a socket. Loopback is never asked through a proxy. */
export function proxyFor(
  rules: ProxyRules,
  target: { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number },
): EgressProxy | undefined {
  const proxy = target.scheme === 'https' ? rules.forHttps : rules.forHttp;
  if (proxy === undefined) return undefined;
  const host = target.host.toLowerCase().replace(/\.$/, '');
  const excepted = (rule: ProxyException): boolean =>
    (rule.port === undefined || rule.port === target.port) && covers(rule.host, host);
  return isLoopback(host) || rules.exceptions.some(excepted) ? undefined : proxy;
}

function covers(rule: string, host: string): boolean {
  if (rule === '*') return true;
  const cidr = parseCidr(rule);
  if (cidr !== undefined) return inCidr(host, cidr);
  return rule.startsWith('.') ? host.endsWith(rule) : host === rule || host.endsWith(`.${rule}`);
}

const LOOPBACK = ['127.0.0.0/8', '::1'].flatMap((text) => parseCidr(text) ?? []);

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || LOOPBACK.some((cidr) => inCidr(host, cidr));
