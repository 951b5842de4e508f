import type { Hostname } from './hostname.ts';

/** Where browsers find us, from configuration and never from a request (A037): it makes redirect_uri and cookies. */
export interface ExternalAddress {
  readonly scheme: 'http' | 'https';
  readonly port: number;
}

/** `https://shop.example.com`, with the port where it isn't the scheme's own (RFC 6454 section 6.2). */
export function originOf(external: ExternalAddress, host: Hostname): string {
  const usual = external.scheme === 'https' ? 443 : 80;
  return `${external.scheme}://${host}${external.port === usual ? '' : `:${external.port}`}`;
}
