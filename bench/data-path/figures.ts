import type { Figure } from '../statistics.ts';
import { authenticated } from './authenticated.ts';
import { largeBodies } from './bodies.ts';
import { firstRequests } from './first.ts';
import { idleConnections } from './idle.ts';
import { latency } from './latency.ts';
import { startBodies } from './nginx.ts';
import { sessionMemory } from './session-memory.ts';
import { secure } from './tls.ts';
import { webSockets } from './websocket.ts';

/**
 * What a request costs, on one core, against what others take for theirs. Needs nginx, haproxy, apache2 with mod_auth_openidc, wrk,
 * h2load, taskset and the test assets.
 */
export async function dataPathFigures(): Promise<readonly Figure[]> {
  const upstream = await startBodies();
  try {
    const { figures, capacity } = await authenticated(upstream);
    return [
      ...figures,
      ...(await firstRequests(upstream)),
      ...(await latency(upstream, capacity)),
      ...(await largeBodies(upstream)),
      ...(await webSockets(upstream)),
      ...(await idleConnections(upstream)),
      ...(await sessionMemory()),
      ...(await secure(upstream)),
    ];
  } finally {
    await upstream.stop();
  }
}
