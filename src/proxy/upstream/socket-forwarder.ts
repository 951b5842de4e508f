import type { Socket } from 'node:net';
import type { BackendUrl } from '../../resources/resource.ts';
import type { FailureCode, Forwarder, ForwardResult } from '../forwarder.ts';
import { UpstreamConnection } from './connection.ts';
import { Exchange, type ExchangeHost } from './exchange.ts';
import { isLinkLocal, leadsHome } from './lookup.ts';
import { Running } from './running.ts';

/** Kept connections of one endpoint; the one used last is used first, so that the others can go. */
const MAX_IDLE_PER_ENDPOINT = 256;
/** Shorter than what servers commonly keep (Node 5 s, nginx 75 s): a connection that is about to close is no gift. */
const IDLE_MS = 4000;
/** How often deadlines are looked at: a time-out is up to twice this late, and never early. */
const SWEEP_MS = 100;

/** The kept connections to one address, and what its exchanges need of the forwarder. */
interface Endpoint extends ExchangeHost {
  readonly linkLocal: boolean;
  readonly idle: UpstreamConnection[];
  /** All that aren't closed yet. */
  readonly open: Set<UpstreamConnection>;
}

/**
 * HTTP/1.1 towards upstreams, on sockets of our own, with connections kept per endpoint. `ownPorts`: the listeners of this
 * process that no Service leads to, under whatever name: admin and debug (A174), and the public one, which would send a
 * request round for ever.
 */
export function createSocketForwarder(ownPorts: ReadonlySet<number> = new Set()): Forwarder {
  const forbidden = (socket: Socket): boolean => ownPorts.has(socket.remotePort ?? 0) && leadsHome(socket);
  const endpoints = new Map<string, Endpoint>();
  // Sweeps are counted instead of asking the clock, which six times a request costs 0.5 µs. After the loop was held up only
  // one sweep comes late, so what began meanwhile is given its whole time.
  let time = 0;
  const deadline = (milliseconds: number): number => time + milliseconds + SWEEP_MS;
  const exchanges = new Running<Exchange>();
  const finished = (exchange: Exchange): void => {
    exchanges.remove(exchange);
  };

  const sweep = setInterval(() => {
    time += SWEEP_MS;
    exchanges.each((exchange) => {
      if (exchange.deadline <= time) exchange.expire();
    });
    for (const [key, endpoint] of endpoints) {
      closeIdle(endpoint, time - IDLE_MS);
      // Forgotten when nothing is open, so that the map is bounded by what is in use.
      if (endpoint.open.size === 0) endpoints.delete(key);
    }
  }, SWEEP_MS);
  sweep.unref();

  const endpointOf = (backend: BackendUrl): Endpoint => {
    const key = `${backend.scheme}://${backend.host}:${backend.port}`;
    let endpoint = endpoints.get(key);
    if (endpoint === undefined) {
      endpoint = createEndpoint(backend, () => time, deadline, forbidden, finished);
      endpoints.set(key, endpoint);
    }
    return endpoint;
  };

  return {
    forward(request) {
      const { backend, client } = request;
      if (client.gone) return failed('client_gone', 'the client went away before anything was sent');
      if (backend.kind !== 'Url') return failed('no_endpoint', 'no endpoint is known for a core Service');
      const endpoint = endpointOf(backend);
      if (endpoint.linkLocal) return failed('connect_failed', 'link-local addresses are not reached');
      return new Promise<ForwardResult>((settle) => {
        const exchange = new Exchange(request, backend, endpoint, settle);
        exchanges.add(exchange);
        exchange.begin();
      });
    },
    close() {
      clearInterval(sweep);
      exchanges.each((exchange) => exchange.stop());
      for (const endpoint of endpoints.values()) for (const connection of endpoint.open) connection.destroy();
      endpoints.clear();
    },
  };
}

const failed = (code: FailureCode, cause: string): Promise<ForwardResult> =>
  Promise.resolve({ kind: 'Failed', code, cause });

function createEndpoint(
  backend: BackendUrl,
  now: () => number,
  deadline: (milliseconds: number) => number,
  forbidden: (socket: Socket) => boolean,
  finished: (exchange: Exchange) => void,
): Endpoint {
  const idle: UpstreamConnection[] = [];
  const open = new Set<UpstreamConnection>();
  const closed = (connection: UpstreamConnection): void => {
    open.delete(connection);
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
  };
  return {
    linkLocal: isLinkLocal(backend.host),
    idle,
    open,
    deadline,
    finished,
    connect(fresh) {
      while (!fresh) {
        const kept = idle.pop();
        if (kept === undefined) break;
        if (kept.usable) return kept;
      }
      const connection = new UpstreamConnection(backend, forbidden, closed);
      open.add(connection);
      return connection;
    },
    kept(connection) {
      connection.idleSince = now();
      if (idle.length < MAX_IDLE_PER_ENDPOINT) idle.push(connection);
      else connection.destroy();
    },
  };
}

function closeIdle(endpoint: Endpoint, since: number): void {
  while ((endpoint.idle[0]?.idleSince ?? Number.POSITIVE_INFINITY) < since) endpoint.idle.shift()?.destroy();
}
