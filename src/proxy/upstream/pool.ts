import { type Peer, UpstreamConnection } from './connection.ts';

/** Kept connections of one peer; the one used last is used first, so that the others can go. */
const MAX_IDLE = 256;
/** Shorter than what servers commonly keep (Node 5 s, nginx 75 s): a connection that is about to close is no gift. */
const IDLE_MS = 4000;
/** A peer that couldn't be connected to is left alone for this long while there are others. */
const AVOID_MS = 5000;

/** The connections to one peer. Times are milliseconds of the forwarder's clock. */
export class Pool {
  readonly #peer: Peer;
  readonly #now: () => number;
  readonly #idle: UpstreamConnection[] = [];
  /** All that aren't closed yet. */
  readonly #open = new Set<UpstreamConnection>();
  #retired = false;
  #avoidedUntil = 0;

  constructor(peer: Peer, now: () => number) {
    this.#peer = peer;
    this.#now = now;
  }

  /** A kept connection, or with `fresh` a new one. */
  connect(fresh: boolean): UpstreamConnection {
    while (!fresh) {
      const kept = this.#idle.pop();
      if (kept === undefined) break;
      if (kept.usable) return kept;
    }
    const connection = new UpstreamConnection(this.#peer, this.#closed);
    this.#open.add(connection);
    return connection;
  }

  /** The connection is free again. */
  kept(connection: UpstreamConnection): void {
    connection.idleSince = this.#now();
    if (this.#idle.length < MAX_IDLE && !this.#retired) this.#idle.push(connection);
    else connection.destroy();
  }

  /** No connection came about. */
  failed(): void {
    this.#avoidedUntil = this.#now() + AVOID_MS;
  }

  /** It failed a moment ago. */
  get avoided(): boolean {
    return this.#avoidedUntil > this.#now();
  }

  /** Nothing is open. */
  get quiet(): boolean {
    return this.#open.size === 0;
  }

  /** What runs may end, and nothing new begins (F25). */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  closeIdle(): void {
    const since = this.#now() - IDLE_MS;
    while ((this.#idle[0]?.idleSince ?? Number.POSITIVE_INFINITY) < since) this.#idle.shift()?.destroy();
  }

  destroy(): void {
    this.retire();
    for (const connection of this.#open) connection.destroy();
  }

  readonly #closed = (connection: UpstreamConnection): void => {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  };
}
