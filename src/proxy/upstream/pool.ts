import { type Peer, UpstreamConnection } from './connection.ts';
import { EndpointHealth } from './endpoint-health.ts';
import type { ExchangeConnection } from './exchange-connection.ts';
import { UpstreamSessions } from './h2/sessions.ts';

/** Kept connections of one peer; the one used last is used first, so that the others can go. */
const MAX_IDLE = 256;
/** Shorter than what servers commonly keep (Node 5 s, nginx 75 s): a connection that is about to close is no gift. */
const IDLE_MS = 4000;

export interface PoolOptions {
  readonly peer: Peer;
  /** Milliseconds of the forwarder's clock. */
  readonly now: () => number;
  /** Connections at the same time. */
  readonly maximum: number;
  /** There may be room for another request. */
  readonly onRoom: () => void;
}

/** The connections to one peer. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #idle: UpstreamConnection[] = [];
  /** Undefined: HTTP/1.1. */
  readonly #sessions: UpstreamSessions | undefined;
  /** All that aren't closed yet. */
  readonly #open = new Set<UpstreamConnection>();
  #retired = false;
  readonly health = new EndpointHealth();

  constructor(options: PoolOptions) {
    this.#options = options;
    const { peer, now, onRoom } = options;
    this.#sessions = peer.http2 === true ? new UpstreamSessions(peer, now, onRoom) : undefined;
  }

  /** A kept connection, or with `fresh` a new one. Who asks has seen that it isn't `full`. */
  connect(fresh: boolean): ExchangeConnection {
    if (this.#sessions !== undefined) return this.#sessions.open(fresh);
    while (!fresh) {
      const kept = this.#idle.pop();
      if (kept === undefined) break;
      if (kept.usable) return kept;
    }
    // A new one in the place of one that is kept, where there is room for no more.
    if (this.#open.size >= this.#options.maximum) this.#idle.shift()?.destroy();
    const connection = new UpstreamConnection(this.#options.peer, this.#closed);
    this.#open.add(connection);
    return connection;
  }

  /** The connection is free again. */
  kept(connection: ExchangeConnection): void {
    if (!(connection instanceof UpstreamConnection)) return;
    connection.idleSince = this.#options.now();
    if (this.#idle.length < MAX_IDLE && !this.#retired) this.#idle.push(connection);
    else connection.destroy();
    this.#options.onRoom();
  }

  /** Requests under way, which over HTTP/1.1 are connections in use. */
  get active(): number {
    return this.#sessions?.streams ?? this.#open.size - this.#idle.length;
  }

  get idle(): number {
    return this.#sessions?.idle ?? this.#idle.length;
  }

  /** There is no room for another request. */
  get full(): boolean {
    return this.active >= this.#options.maximum;
  }

  /** Nothing is open. */
  get quiet(): boolean {
    return this.#open.size === 0 && this.#sessions?.quiet !== false;
  }

  /** What runs may end, and nothing new begins (F25). */
  retire(): void {
    this.#retired = true;
    this.#sessions?.retire();
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  closeIdle(): void {
    this.#sessions?.closeIdle();
    const since = this.#options.now() - IDLE_MS;
    while ((this.#idle[0]?.idleSince ?? Number.POSITIVE_INFINITY) < since) this.#idle.shift()?.destroy();
  }

  destroy(): void {
    this.retire();
    this.#sessions?.destroy();
    for (const connection of this.#open) connection.destroy();
  }

  readonly #closed = (connection: UpstreamConnection): void => {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#options.onRoom();
  };
}
