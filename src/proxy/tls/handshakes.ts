import type { Socket } from 'node:net';

/**
 * Connections that have not finished their TLS handshake. They are no requests yet, so nothing else bounds them (A160):
 * beyond the cap the oldest goes, which is the one that stalls, since an honest handshake takes milliseconds.
 */
export class Handshakes {
  readonly #max: number;
  readonly #onDropped: () => void;
  /** By address and port of the peer, in order of arrival; the raw sockets, of which a TLS socket knows only that much. */
  readonly #open = new Map<string, Socket>();

  constructor(max: number, onDropped: () => void) {
    this.#max = max;
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#open.size;
  }

  /** `raw`: a connection as it was accepted. */
  begin(raw: Socket): void {
    const peer = peerOf(raw);
    if (this.#open.size >= this.#max) this.#dropOldest();
    this.#open.set(peer, raw);
    raw.once('close', () => {
      if (this.#open.get(peer) === raw) this.#open.delete(peer);
    });
  }

  /** `socket`: the TLS socket over a connection that was begun. */
  finished(socket: Socket): void {
    this.#open.delete(peerOf(socket));
  }

  endAll(): void {
    for (const raw of this.#open.values()) raw.destroy();
  }

  #dropOldest(): void {
    for (const [peer, raw] of this.#open) {
      this.#open.delete(peer);
      raw.destroy();
      this.#onDropped();
      return;
    }
  }
}

const peerOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;
