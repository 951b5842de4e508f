import { Gauge, type Registry } from 'prom-client';
import type { TunnelEnd } from '../../proxy/tunnel.ts';
import { counterFamily, type Family, histogramFamily } from '../families.ts';
import { TUNNEL_SECONDS } from './buckets.ts';
import { type KnownNames, NONE } from './names.ts';

/** Connections that were switched to another protocol. */
export interface TunnelMetrics {
  readonly families: readonly Family[];
  opened(): void;
  ended(route: string, service: string, end: TunnelEnd, seconds: number): void;
  retain(routes: KnownNames, services: KnownNames): void;
}

export function tunnelMetrics(registry: Registry): TunnelMetrics {
  const total = counterFamily({
    name: 'postern_tunnels_total',
    help: 'Connections that had been switched to another protocol (WebSocket) and ended, by Route and what ended them.',
    labels: ['route', 'end'],
  });
  const durations = histogramFamily({
    name: 'postern_tunnel_duration_seconds',
    help: 'Time from the request for another protocol to the end of the connection, by Service.',
    labels: ['service'],
    buckets: TUNNEL_SECONDS,
  });
  let open = 0;
  const gauge: Gauge = new Gauge({
    name: 'postern_open_tunnels',
    help: 'Connections of clients that are switched to another protocol (WebSocket).',
    registers: [registry],
    collect: () => gauge.set(open),
  });
  return {
    families: [total, durations],
    opened() {
      open += 1;
    },
    ended(route, service, end, seconds) {
      open -= 1;
      total.at(route, end).value += 1;
      durations.at(service).observe(seconds);
    },
    retain(routes, services) {
      total.retain(([route = NONE]) => routes.current(route));
      durations.retain(([service = NONE]) => services.current(service));
    },
  };
}
