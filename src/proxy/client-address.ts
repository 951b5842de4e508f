import type { Socket } from 'node:net';
import type { Cidr } from '../resources/address-policy.ts';
import { addressBits, canonicalIpv6, isIpv4 } from '../resources/ip.ts';
import { rememberNames } from './name-memo.ts';

/** Where a request came from, as far as it is known. */
export interface ClientTrace {
  /** For the log. */
  readonly client: string;
  /** For the upstream: the client, then each proxy that is trusted, the peer last. */
  readonly forwardedFor: string;
}

/** Stands where an address would (as in RFC 7239 section 6.2): in no CIDR, and nobody whose word counts. */
export const UNKNOWN_CLIENT = 'unknown';

/** Of the other end of a connection. An IPv4 peer of a listener on `::` is an IPv4 peer. */
export function peerAddress({ remoteAddress = '' }: Socket): string {
  return remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress;
}

/** Hops looked at: a trusted proxy in front of us adds one, and nobody stacks that many. */
const MAX_HOPS = 32;

/**
 * `--trusted-proxies`: only from these peers is `X-Forwarded-For` believed (A003, A037, A050). The client is the rightmost
 * address in it that isn't such a proxy's; what stands left of it is what the client wrote itself, and goes no further.
 * Scheme, host and port of the outside are configuration, so no proxy is asked for them: one that is misled into passing
 * on `X-Forwarded-Proto` or `-Host` can move no redirect_uri and take no `Secure` off a cookie.
 */
export class ClientAddresses {
  readonly #isTrusted: (address: string) => boolean;

  constructor(trusted: readonly Cidr[]) {
    // Peers are few; looking one up costs a tenth of comparing it.
    this.#isTrusted = rememberNames((address) => {
      const parsed = addressBits(address);
      return (
        parsed !== undefined &&
        trusted.some(({ family, bits }) => family === parsed.family && parsed.bits.startsWith(bits))
      );
    });
  }

  /** Whether what this peer says of others is believed. */
  trusts(peer: string): boolean {
    return this.#isTrusted(peer);
  }

  /** `peer`: address of the connection. `forwardedFor`: `X-Forwarded-For` as sent, its lines joined. */
  trace(peer: string, forwardedFor: string | undefined): ClientTrace {
    if (forwardedFor === undefined || !this.#isTrusted(peer)) return { client: peer, forwardedFor: peer };
    let client = peer;
    let chain = peer;
    let end = forwardedFor.length;
    for (let hops = 0; hops < MAX_HOPS && end >= 0; hops++) {
      const comma = forwardedFor.lastIndexOf(',', end - 1);
      const address = readAddress(forwardedFor.slice(comma + 1, end).trim());
      // What can't be read says nothing about who is behind it.
      if (address === undefined) break;
      client = address;
      chain = `${address}, ${chain}`;
      if (!this.#isTrusted(address)) break;
      end = comma;
    }
    return { client, forwardedFor: chain };
  }
}

/** Some proxies add a port: `192.0.2.1:1234`, `[2001:db8::1]:1234`. */
const WITH_PORT = /^(?:([0-9.]{7,15}):[0-9]{1,5}|\[([0-9a-fA-F:.]{2,45})\](?::[0-9]{1,5})?)$/;

function readAddress(text: string): string | undefined {
  const match = WITH_PORT.exec(text);
  return canonicalPeer(match?.[1] ?? match?.[2] ?? text);
}

/**
 * One canonical form of an address without brackets, port and zone; IPv4 written as IPv6 is IPv4. Undefined: it is none.
 */
export function canonicalPeer(address: string): string | undefined {
  if (isIpv4(address)) return address;
  const canonical = canonicalIpv6(address);
  const mapped = canonical === undefined ? null : /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  return mapped === null ? canonical : dotted(mapped[1] ?? '', mapped[2] ?? '');
}

function dotted(high: string, low: string): string {
  const octets = [high, low].map((group) => Number.parseInt(group, 16)).flatMap((group) => [group >> 8, group & 255]);
  return octets.join('.');
}
