import { Tunnel, type TunnelEnd, type TunnelTerms } from './tunnel.ts';
import type { TunnelSide } from './tunnel-side.ts';

/** How often the times of tunnels are looked at; each is at most this late. */
const SWEEP_MS = 500;

export interface TunnelClocks {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Milliseconds since the epoch. */
  wall(): number;
}

/** All open tunnels of a listener, under one timer. */
export class Tunnels {
  readonly #clocks: TunnelClocks;
  readonly #open = new Set<Tunnel>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(clocks: TunnelClocks) {
    this.#clocks = clocks;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Joins two connections until both are gone; says what ended it. */
  join(client: TunnelSide, upstream: TunnelSide, terms: TunnelTerms): Promise<TunnelEnd> {
    return new Promise((resolve) => {
      const tunnel = new Tunnel(client, upstream, terms, (done) => {
        this.#open.delete(done);
        if (this.#open.size === 0) this.#rest();
        resolve(done.end ?? 'client_reset');
      });
      this.#open.add(tunnel);
      this.#sweep ??= setInterval(() => this.#tick(), SWEEP_MS).unref();
      tunnel.start();
    });
  }

  /** The time for what is in flight is over (F26). */
  endAll(): void {
    for (const tunnel of this.#open) tunnel.stop('drain');
  }

  #tick(): void {
    const now = this.#clocks.now();
    const wall = this.#clocks.wall();
    for (const tunnel of this.#open) tunnel.tick(now, wall);
  }

  #rest(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
