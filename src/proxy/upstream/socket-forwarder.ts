import type { Socket } from 'node:net';
import type { NamespacedName } from '../../resources/keys.ts';
import type { Backend } from '../../resources/resource.ts';
import { sameUpstream, type UpstreamSettings } from '../../resources/upstream.ts';
import type { EndpointDirectory } from '../endpoints.ts';
import type { FailureCode, Forwarder, ForwardResult } from '../forwarder.ts';
import { Exchange, type ExchangeHost } from './exchange.ts';
import { UNOBSERVED, type UpstreamCounts, type UpstreamObserver } from './observer.ts';
import { createReach, leadsHome, type ReachRules } from './reach.ts';
import type { Resolve } from './resolve.ts';
import { Running } from './running.ts';
import { Upstream, type UpstreamWorld } from './upstream.ts';

/** How often deadlines are looked at: a time-out is up to twice this late, and never early. */
const SWEEP_MS = 100;

export interface ForwarderOptions {
  /**
   * The listeners of this process that no Service leads to, under whatever name: admin and debug (A174), and the public
   * ones, which would send a request round for ever.
   */
  readonly ownPorts: ReadonlySet<number>;
  /** Asked at each request to a core Service. */
  readonly endpoints: EndpointDirectory;
  /** What `url` backends may reach. */
  readonly reach: ReachRules;
  /** Where absent: DNS, or the system's resolver where everything may be reached. */
  readonly resolve?: Resolve;
  readonly observer?: UpstreamObserver;
  /** 0 ≤ x < 1. */
  readonly random?: () => number;
}

export interface SocketForwarder extends Forwarder {
  /** How things are now, by Service. */
  counts(): Iterable<UpstreamCounts>;
}

/** HTTP/1.1 towards upstreams, on sockets of our own, with connections kept per endpoint of a Service. */
export function createSocketForwarder(options: ForwarderOptions): SocketForwarder {
  const { ownPorts, endpoints, reach: rules, resolve, observer = UNOBSERVED, random = Math.random } = options;
  const exchanges = new Running<Exchange>();
  // Sweeps are counted instead of asking the clock, which six times a request costs 0.5 µs. After the loop was held up only
  // one sweep comes late, so what began meanwhile is given its whole time.
  let time = 0;
  const now = (): number => time;
  const host: ExchangeHost = {
    deadline: (milliseconds) => time + milliseconds + SWEEP_MS,
    finished: (exchange) => exchanges.remove(exchange),
  };
  const homeRefusal = (socket: Socket): string | undefined =>
    ownPorts.has(socket.remotePort ?? 0) && leadsHome(socket) ? OWN_LISTENER : undefined;
  const upstreams = new Upstreams({
    endpoints,
    rules,
    reach: createReach(rules, resolve),
    observer,
    now,
    random,
    homeRefusal,
  });

  const sweep = setInterval(() => {
    time += SWEEP_MS;
    const wall = Date.now();
    exchanges.each((exchange) => {
      if (exchange.deadline <= time) exchange.expire();
      else if (exchange.until <= wall) exchange.cutOff();
    });
    upstreams.sweep();
  }, SWEEP_MS);
  sweep.unref();

  return {
    forward(request) {
      if (request.client.gone) return failed('client_gone', 'the client went away before anything was sent');
      const upstream = upstreams.of(request.backend, request.upstream);
      const refusal = upstream.refusal();
      if (refusal !== undefined) return failed(refusal.code, refusal.cause);
      return new Promise<ForwardResult>((settle) => {
        const exchange = new Exchange(request, upstream, host, settle);
        exchanges.add(exchange);
        exchange.begin();
      });
    },
    close() {
      clearInterval(sweep);
      exchanges.each((exchange) => exchange.stop());
      upstreams.destroy();
    },
    counts: () => upstreams.counts(),
  };
}

const OWN_LISTENER = 'it leads to a listener of this process that no Service leads to';

const failed = (code: FailureCode, cause: string): Promise<ForwardResult> =>
  Promise.resolve({ kind: 'Failed', code, cause });

/** The Upstreams that were asked for of late. */
class Upstreams {
  readonly #world: UpstreamWorld;
  /** By settings, which are the same value from request to request: a look-up costs less than making a key. */
  readonly #known = new WeakMap<UpstreamSettings, Upstream>();
  /** More than one of a Service only as long as one of former settings is in use. */
  readonly #all = new Map<NamespacedName, Upstream[]>();

  constructor(world: UpstreamWorld) {
    this.#world = world;
  }

  of(backend: Backend, settings: UpstreamSettings): Upstream {
    const known = this.#known.get(settings);
    if (known !== undefined && known.backend === backend && !known.gone) return known;
    const upstream = this.#find(backend, settings) ?? this.#add(backend, settings);
    upstream.backend = backend;
    this.#known.set(settings, upstream);
    return upstream;
  }

  sweep(): void {
    for (const [service, upstreams] of this.#all) {
      for (const upstream of upstreams) if (!upstream.sweep()) upstream.gone = true;
      if (!upstreams.some(({ gone }) => gone)) continue;
      const left = upstreams.filter(({ gone }) => !gone);
      if (left.length > 0) this.#all.set(service, left);
      else this.#all.delete(service);
    }
  }

  destroy(): void {
    for (const upstreams of this.#all.values()) for (const upstream of upstreams) upstream.destroy();
    this.#all.clear();
  }

  *counts(): Generator<UpstreamCounts> {
    for (const upstreams of this.#all.values()) for (const upstream of upstreams) yield upstream.counts();
  }

  #find(backend: Backend, settings: UpstreamSettings): Upstream | undefined {
    return this.#all
      .get(settings.service)
      ?.find((one) => sameBackend(one.backend, backend) && sameUpstream(one.settings, settings));
  }

  #add(backend: Backend, settings: UpstreamSettings): Upstream {
    const upstream = new Upstream(backend, settings, this.#world);
    const others = this.#all.get(settings.service);
    if (others === undefined) this.#all.set(settings.service, [upstream]);
    else others.push(upstream);
    return upstream;
  }
}

function sameBackend(a: Backend, b: Backend): boolean {
  if (a === b) return true;
  if (a.protocol !== b.protocol) return false;
  if (a.kind === 'Service') return b.kind === 'Service' && a.name === b.name && a.port === b.port;
  return b.kind === 'Url' && a.scheme === b.scheme && a.host === b.host && a.port === b.port;
}
