/**
 * Cookie pairs of a hostile Cookie header (RFC 6265 section 5.4 is what browsers send; anything can come). Nothing is
 * decoded or unquoted: what isn't exactly as we wrote it is not ours.
 */

/** More pairs than any browser keeps for one host (Chromium: 180): the rest isn't read (A142). */
const MAX_PAIRS = 512;

/** Calls `visit` for each pair whose name begins with `prefix`, in the order of the header. */
export function eachCookie(
  header: string | undefined,
  prefix: string,
  visit: (name: string, value: string) => void,
): void {
  if (header === undefined) return;
  let start = 0;
  for (let pairs = 0; pairs < MAX_PAIRS && start < header.length; pairs += 1) {
    const semicolon = header.indexOf(';', start);
    const end = semicolon === -1 ? header.length : semicolon;
    while (start < end && isBlank(header.charCodeAt(start))) start += 1;
    if (header.startsWith(prefix, start)) {
      const equals = header.indexOf('=', start);
      if (equals !== -1 && equals < end)
        visit(header.slice(start, equals), header.slice(equals + 1, trimEnd(header, end)));
    }
    start = end + 1;
  }
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

function trimEnd(text: string, end: number): number {
  let last = end;
  while (last > 0 && isBlank(text.charCodeAt(last - 1))) last -= 1;
  return last;
}

export interface CookieAttributes {
  /** Only over TLS; what `__Host-` names demand. */
  readonly secure: boolean;
  readonly sameSite: 'Lax' | 'None';
}

/** A `Set-Cookie` value (A146): no Domain, so it stays on this very host. `maxAge` in seconds. */
export function setCookie(name: string, value: string, maxAge: number, attributes: CookieAttributes): string {
  const secure = attributes.secure ? '; Secure' : '';
  return `${name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly${secure}; SameSite=${attributes.sameSite}`;
}

export const expireCookie = (name: string, attributes: CookieAttributes): string => setCookie(name, '', 0, attributes);
