import type { LookupFunction, Socket } from 'node:net';
import { isAddressAllowed } from '../../resources/address-policy.ts';
import { canonicalAddress } from '../../resources/ip.ts';
import type { BackendService, BackendUrl } from '../../resources/resource.ts';
import type { EndpointAddress, EndpointDirectory } from '../endpoints.ts';
import type { FailureCode, Forwarder, ForwardResult, OutgoingRequest } from '../forwarder.ts';
import { Balancer } from './balancer.ts';
import { type Alternatives, Exchange, type ExchangeHost } from './exchange.ts';
import { Pool } from './pool.ts';
import { addressRefusal, createReach, leadsHome, type ReachRules } from './reach.ts';
import type { Resolve } from './resolve.ts';
import { Running } from './running.ts';

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
}

/** Where a `url` leads, without its path. */
interface Origin {
  readonly pool: Pool;
  /** Canonical; undefined where the host is a name. */
  readonly address: string | undefined;
}

/** HTTP/1.1 towards upstreams, on sockets of our own, with connections kept per origin, and per endpoint of a Service. */
export function createSocketForwarder({ ownPorts, endpoints, reach: rules, resolve }: ForwarderOptions): Forwarder {
  const reach = createReach(rules, resolve);
  const origins = new Map<string, Origin>();
  const services = new Map<string, Balancer>();
  const exchanges = new Running<Exchange>();
  // Sweeps are counted instead of asking the clock, which six times a request costs 0.5 µs. After the loop was held up only
  // one sweep comes late, so what began meanwhile is given its whole time.
  let time = 0;
  const now = (): number => time;
  const host: ExchangeHost = {
    deadline: (milliseconds) => time + milliseconds + SWEEP_MS,
    finished: (exchange) => exchanges.remove(exchange),
  };

  const sweep = setInterval(() => {
    time += SWEEP_MS;
    exchanges.each((exchange) => {
      if (exchange.deadline <= time) exchange.expire();
    });
    for (const [key, { pool }] of origins) {
      pool.closeIdle();
      // Forgotten when nothing is open, so that the map is bounded by what is in use.
      if (pool.quiet) origins.delete(key);
    }
    for (const [key, balancer] of services) if (!balancer.sweep()) services.delete(key);
  }, SWEEP_MS);
  sweep.unref();

  const homeRefusal = (socket: Socket): string | undefined =>
    ownPorts.has(socket.remotePort ?? 0) && leadsHome(socket) ? OWN_LISTENER : undefined;

  /** A string: why it isn't reached. */
  const originOf = ({ scheme, host, port }: BackendUrl): Origin | string => {
    const key = `${scheme}://${host}:${port}`;
    const known = origins.get(key);
    if (known !== undefined) return (known.address === undefined ? undefined : reach.forbidden(known.address)) ?? known;
    const refused = reach.refusal(host);
    if (refused !== undefined) return refused;
    const refusal = (socket: Socket) => homeRefusal(socket) ?? addressRefusal(socket.remoteAddress ?? '', rules);
    const pool = new Pool({ scheme, host, port, lookup: reach.lookup, refusal }, now);
    const origin = { pool, address: canonicalAddress(host) };
    origins.set(key, origin);
    return origin;
  };

  const endpointPool = ({ host, port }: EndpointAddress): Pool => {
    const refusal = (socket: Socket) =>
      homeRefusal(socket) ?? (isAddressAllowed(socket.remoteAddress ?? '', { kind: 'Any' }) ? undefined : LINK_LOCAL);
    return new Pool({ scheme: 'http', host, port, lookup: noNames, refusal }, now);
  };

  const balancerOf = ({ name, port }: BackendService): Balancer => {
    const key = `${name}:${port}`;
    let balancer = services.get(key);
    if (balancer === undefined) {
      balancer = new Balancer({ endpoints: () => endpoints.endpoints(name, port), pool: endpointPool, now });
      services.set(key, balancer);
    }
    return balancer;
  };

  const exchange = (request: OutgoingRequest, pool: Pool, alternatives: Alternatives | undefined) =>
    new Promise<ForwardResult>((settle) => {
      const begun = new Exchange(request, pool, alternatives, host, settle);
      exchanges.add(begun);
      begun.begin();
    });

  return {
    forward(request) {
      const { backend, client } = request;
      if (client.gone) return failed('client_gone', 'the client went away before anything was sent');
      if (backend.kind === 'Url') {
        const origin = originOf(backend);
        if (typeof origin === 'string') return failed('address_not_allowed', origin);
        return exchange(request, origin.pool, undefined);
      }
      const balancer = balancerOf(backend);
      const pool = balancer.next();
      if (pool === undefined)
        return failed('no_endpoint', `no endpoint of ${backend.name} port ${backend.port} is ready`);
      return exchange(request, pool, balancer);
    },
    close() {
      clearInterval(sweep);
      exchanges.each((exchange) => exchange.stop());
      for (const { pool } of origins.values()) pool.destroy();
      for (const balancer of services.values()) balancer.destroy();
      origins.clear();
      services.clear();
    },
  };
}

const OWN_LISTENER = 'it leads to a listener of this process that no Service leads to';
const LINK_LOCAL = 'it is a link-local address, or of cloud metadata: reached under no setting';

const failed = (code: FailureCode, cause: string): Promise<ForwardResult> =>
  Promise.resolve({ kind: 'Failed', code, cause });

/** Endpoints have addresses; a name among them is no endpoint's. */
const noNames: LookupFunction = (hostname, _options, callback) => {
  const error: NodeJS.ErrnoException = new Error(`${hostname} is no address`);
  error.code = 'EADDRFORBIDDEN';
  callback(error, '', 0);
};
