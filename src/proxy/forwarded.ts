/**
 * The line `Forwarded` (RFC 7239 section 4) that says what `X-Forwarded-*` say: one element for each address, of the
 * client first, with the host and scheme that it asked for, and its end.
 *
 * @param forwardedFor addresses without brackets and ports, or `unknown`, separated by `, `
 * @param outside host and, where it isn't the scheme's own, port
 */
export function forwardedLine(forwardedFor: string, outside: string, scheme: string): string {
  const [client = '', ...proxies] = forwardedFor.split(', ').map(nodeOf);
  const first = `for=${client};host="${outside}";proto=${scheme}`;
  return `Forwarded: ${[first, ...proxies.map((proxy) => `for=${proxy}`)].join(', ')}\r\n`;
}

/** Section 6: an IPv6 address stands in brackets, which need quotes; IPv4 addresses and `unknown` are tokens. */
const nodeOf = (address: string): string =>
  address === '' ? 'unknown' : address.includes(':') ? `"[${address}]"` : address;
