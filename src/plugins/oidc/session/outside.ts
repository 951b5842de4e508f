import type { OidcConfig } from '../spec/config.ts';
import type { CookieAttributes } from './cookies.ts';

/** How cookies are made for one origin; undefined where none can be made that browsers would keep safe. */
export interface CookieMode extends CookieAttributes {
  /** `__Host-`: no sibling host can plant such a cookie (A115, RFC 6265bis section 4.1.3.2). */
  readonly prefix: '__Host-' | '';
}

/**
 * https always gets the full protection. Plain http only on a loopback name and where `insecure.httpCookies` allows it:
 * anywhere else a session would cross a network in the clear.
 */
export function cookieModeOf(origin: string, config: OidcConfig): CookieMode | undefined {
  if (origin.startsWith('https://')) return { prefix: '__Host-', secure: true, sameSite: config.session.sameSite };
  if (!config.insecure.httpCookies || !isLoopbackOrigin(origin)) return undefined;
  // Browsers refuse SameSite=None without Secure.
  return { prefix: '', secure: false, sameSite: 'Lax' };
}

/** RFC 6761 section 6.3, RFC 1122 section 3.2.1.3: names and addresses that never leave the machine. */
function isLoopbackOrigin(origin: string): boolean {
  const host = URL.parse(origin)?.hostname ?? '';
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.[0-9]{1,3}){3}$/.test(host);
}
