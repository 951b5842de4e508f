import type { Socket } from 'node:net';
import { isAddressAllowed } from '../../resources/address-policy.ts';
import { canonicalAddress } from '../../resources/ip.ts';
import type { Backend, BackendUrl } from '../../resources/resource.ts';
import type { UpstreamSettings } from '../../resources/upstream.ts';
import { isSecure } from '../../resources/upstream-protocol.ts';
import { atEndOfTurn } from '../end-of-turn.ts';
import type { EndpointAddress, EndpointDirectory } from '../endpoints.ts';
import type { FailureCode } from '../forwarder.ts';
import { Balancer, type Place } from './balancer.ts';
import type { Peer } from './connection.ts';
import type { UpstreamCounts, UpstreamObserver } from './observer.ts';
import { Pool } from './pool.ts';
import { addressRefusal, noNames, type Reach, type ReachRules } from './reach.ts';
import { RetryBudget } from './retry-budget.ts';
import { type PeerTls, peerTls } from './tls.ts';
import { type InLine, WaitingLine } from './waiting-line.ts';

/** A request that waits for a connection. */
export interface Waiting extends InLine<Waiting> {
  placed(pool: Pool): void;
}

export interface UpstreamWorld {
  readonly endpoints: EndpointDirectory;
  readonly rules: ReachRules;
  readonly reach: Reach;
  readonly observer: UpstreamObserver;
  /** Milliseconds of the forwarder's clock. */
  readonly now: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Why a connection leads back to this process. */
  readonly homeRefusal: (socket: Socket) => string | undefined;
}

/**
 * What is behind one Service under one set of settings: its endpoints, the connections to them, who waits for one, and how many
 * retries it is good for. Another set is another Upstream, so that no connection of one identity carries a request meant for
 * another; that of the set before ends with the last of its connections.
 */
export class Upstream {
  readonly settings: UpstreamSettings;
  /** As of the last request. */
  backend: Backend;
  /** Forgotten by the forwarder. */
  gone = false;
  readonly #world: UpstreamWorld;
  readonly #tls: PeerTls | string | undefined;
  readonly #balancer: Balancer;
  readonly #budget: RetryBudget;
  readonly #line = new WaitingLine<Waiting>();
  readonly #urlRefusal: (() => string | undefined) | undefined;
  #serving = false;

  constructor(backend: Backend, settings: UpstreamSettings, world: UpstreamWorld) {
    this.backend = backend;
    this.settings = settings;
    this.#world = world;
    this.#tls = isSecure(backend) ? peerTls(settings.tls) : undefined;
    this.#budget = new RetryBudget(world.now);
    this.#urlRefusal = backend.kind === 'Url' ? urlRefusal(backend, world.reach) : undefined;
    this.#balancer = new Balancer({
      policy: settings.policy,
      endpoints: endpointsOf(backend, world.endpoints),
      pool: (endpoint) => this.#pool(endpoint),
      now: world.now,
      random: world.random,
      onEjected: (cause) => world.observer.ejected(settings.service, cause),
    });
  }

  /** Why nothing is sent to it at all. */
  refusal(): { readonly code: FailureCode; readonly cause: string } | undefined {
    if (typeof this.#tls === 'string') return { code: 'tls_failed', cause: this.#tls };
    const cause = this.#urlRefusal?.();
    return cause === undefined ? undefined : { code: 'address_not_allowed', cause };
  }

  /** Where a new request goes. Nobody overtakes those that wait. */
  place(): Place {
    this.#budget.request();
    return this.#line.size > 0 ? 'Full' : this.#balancer.next();
  }

  /** False: too many wait already. */
  wait(waiting: Waiting): boolean {
    if (this.#line.size >= this.settings.policy.limits.pending) return false;
    this.#line.join(waiting);
    return true;
  }

  leave(waiting: Waiting): void {
    this.#line.leave(waiting);
  }

  /** Where else a request may go that was tried at these places and is to be tried again. */
  another(tried: readonly Pool[]): Pool | undefined {
    const place = this.#balancer.another(tried);
    return place === 'Full' ? undefined : place;
  }

  /** Whether the Service is good for one more retry. */
  mayRetry(): boolean {
    if (this.#budget.take()) return true;
    this.#world.observer.notRetried(this.settings.service);
    return false;
  }

  retried(cause: 'connect' | 'reset'): void {
    this.#world.observer.retried(this.settings.service, cause);
  }

  timedOut(): void {
    this.#world.observer.requestTimedOut(this.settings.service);
  }

  /** RFC 9110 sections 15.6.3 to 15.6.5: what a gateway says of what is behind it, or a server of itself. */
  answered(pool: Pool, status: number): void {
    if (status >= 502 && status <= 504) this.#balancer.failed(pool);
    else this.#balancer.answered(pool);
  }

  failed(pool: Pool): void {
    this.#balancer.failed(pool);
  }

  notConnected(pool: Pool): void {
    this.#balancer.notConnected(pool);
  }

  /** False: nothing is left to be kept. */
  sweep(): boolean {
    // Room may have come from new endpoints, or time.
    if (this.#line.size > 0) this.#serve();
    return this.#balancer.sweep() || this.#line.size > 0;
  }

  destroy(): void {
    this.#balancer.destroy();
  }

  counts(): UpstreamCounts {
    const { size, ejected } = this.#balancer;
    const { service } = this.settings;
    return { service, endpoints: size, ejected, pending: this.#line.size, ...this.#balancer.connections() };
  }

  #pool({ host, port }: EndpointAddress): Pool {
    const { world, peer } = { world: this.#world, peer: this.#peer(host, port) };
    const maximum = this.settings.policy.limits.connectionsPerEndpoint;
    return new Pool({ peer, now: world.now, maximum, onRoom: this.#onRoom });
  }

  #peer(host: string, port: number): Peer {
    const { homeRefusal, rules, reach } = this.#world;
    const tls = typeof this.#tls === 'string' ? undefined : this.#tls;
    const { protocol } = this.backend;
    const place = { host, port, tls, http2: protocol === 'h2' || protocol === 'h2c' };
    if (this.backend.kind === 'Url') {
      const refusal = (socket: Socket) => homeRefusal(socket) ?? addressRefusal(socket.remoteAddress ?? '', rules);
      return { ...place, lookup: reach.lookup, refusal };
    }
    const refusal = (socket: Socket) =>
      homeRefusal(socket) ?? (isAddressAllowed(socket.remoteAddress ?? '', { kind: 'Any' }) ? undefined : LINK_LOCAL);
    return { ...place, lookup: noNames, refusal };
  }

  readonly #onRoom = (): void => {
    if (this.#line.size === 0 || this.#serving) return;
    this.#serving = true;
    // Not at once: whoever gave the connection back is still about it.
    atEndOfTurn(() => {
      this.#serving = false;
      this.#serve();
    });
  };

  #serve(): void {
    for (let first = this.#line.first; first !== undefined; first = this.#line.first) {
      const place = this.#balancer.next();
      if (typeof place !== 'object') return;
      this.#line.leave(first);
      first.placed(place);
    }
  }
}

const LINK_LOCAL = 'it is a link-local address, or of cloud metadata: reached under no setting';

/** A URL is one place, whatever addresses its name has. */
function endpointsOf(backend: Backend, directory: EndpointDirectory): () => readonly EndpointAddress[] {
  if (backend.kind === 'Service') {
    const { name, port } = backend;
    return () => directory.endpoints(name, port);
  }
  const only: readonly EndpointAddress[] = [{ host: backend.host, port: backend.port }];
  return () => only;
}

/** Addresses are judged at every request, for what is forbidden changes; names once, and what they lead to at each connection. */
function urlRefusal({ host }: BackendUrl, reach: Reach): () => string | undefined {
  const address = canonicalAddress(host);
  const refusal = reach.refusal(host);
  return address === undefined ? () => refusal : () => refusal ?? reach.forbidden(address);
}
