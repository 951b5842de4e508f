import { lowerAscii } from '../resources/hostname.ts';
import { headerOf } from './request-view.ts';
import type { Journey } from './world.ts';

/**
 * Whether a browser sent the request without TLS, as far as it can be told: the connection had none, and where it is one
 * of a trusted proxy, that one says so (A036, A050). A proxy that says nothing may be one where TLS ends, so a redirect
 * could come back for ever.
 */
export function cameOverPlainHttp({ world, exchange, head }: Journey): boolean {
  if (world.secure) return false;
  if (world.clients?.trusts(exchange.client) !== true) return true;
  const schemes = headerOf(head, 'x-forwarded-proto')?.split(',') ?? [];
  return schemes.length > 0 && schemes.every((scheme) => lowerAscii(scheme.trim()) === 'http');
}
