import { createSecureContext, type SecureContext } from 'node:tls';
import type { UpstreamTls } from '../../resources/upstream.ts';

/** How connections to an https upstream are made: the same for all of them, so that certificates are read once. */
export interface PeerTls {
  readonly verify: boolean;
  /** Undefined: the host that is connected to. */
  readonly serverName: string | undefined;
  /** Undefined: the public roots, and no certificate of our own. */
  readonly context: SecureContext | undefined;
}

/** Where nothing is said about TLS. */
const VERIFIED: PeerTls = { verify: true, serverName: undefined, context: undefined };

/** A text: why OpenSSL won't have the certificates. */
export function peerTls(tls: UpstreamTls | undefined): PeerTls | string {
  if (tls === undefined) return VERIFIED;
  const { verify, serverName, ca, client } = tls;
  if (ca === undefined && client === undefined) return { verify, serverName, context: undefined };
  try {
    const context = createSecureContext({ ca, cert: client?.certificate, key: client?.key.reveal() });
    return { verify, serverName, context };
  } catch (error) {
    return `its certificates can't be used: ${error instanceof Error ? error.message : 'unknown error'}`;
  }
}
