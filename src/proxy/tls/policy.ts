import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/**
 * TLS 1.2 and 1.3 with forward secrecy and authenticated encryption only (RFC 9325; Mozilla's "intermediate" without the
 * finite-field groups). No renegotiation: it is of TLS 1.2 alone, and a way to burn our CPU. No resumption: replicas don't
 * know each other's tickets.
 */
export const TLS_POLICY = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
} as const satisfies SecureContextOptions;

/** How long a ticket is good for, in seconds: as long as a client isn't shown the certificate again. */
const TICKET_LIFETIME = 3600;

/** The same with session tickets (`--tls-session-tickets`). */
export const TICKETS_POLICY = {
  ...TLS_POLICY,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  sessionTimeout: TICKET_LIFETIME,
  // Otherwise node makes one of its command line, which replicas don't have to share.
  sessionIdContext: 'postern',
} as const satisfies SecureContextOptions;
