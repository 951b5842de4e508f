import type { Server } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { CertificateStore } from './certificate-store.ts';
import { TICKETS_POLICY, TLS_POLICY } from './policy.ts';

/** A name, and keys for AES-128 and HMAC, 16 bytes each. */
export const TICKET_KEY_BYTES = 48;

/**
 * What tickets are sealed with: so many bytes, the same for the same `certificates` wherever the same keys are held, so that one
 * replica takes up what another began.
 */
export type TicketKeys = (certificates: string) => Buffer;

/**
 * Tickets by which a client resumes a session without another key exchange (RFC 5077, RFC 8446 section 2.2). Their key
 * changes with every certificate that comes, changes or goes: none resumes what could not be begun any more (A035).
 */
export class SessionTickets {
  readonly #server: Server;
  readonly #certificates: CertificateStore;
  readonly #keys: TicketKeys;
  #set: Buffer | undefined;

  constructor(server: Server, certificates: CertificateStore, keys: TicketKeys) {
    this.#server = server;
    this.#certificates = certificates;
    this.#keys = keys;
    // The same key for all that listen comes first: whoever begins a connection now meets it.
    server.prependListener('connection', () => this.#refresh());
  }

  /** The server has a new context, which has keys of its own. */
  contextReplaced(): void {
    this.#set = undefined;
    this.#refresh();
  }

  #refresh(): void {
    const keys = this.#keys(this.#certificates.fingerprint);
    if (this.#set?.equals(keys) === true) return;
    this.#set = keys;
    this.#server.setTicketKeys(keys);
  }
}

/** What the server's own context is made with; tickets are its matter, whatever host is asked for. */
export const policyWith = (tickets: TicketKeys | undefined): SecureContextOptions =>
  tickets === undefined ? TLS_POLICY : TICKETS_POLICY;
