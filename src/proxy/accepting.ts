import type { Socket } from 'node:net';
import type { ConnectionLimits } from './connection-limits.ts';
import type { Overload } from './overload/overload.ts';
import type { RequestObserver } from './record.ts';
import type { ProxyLog } from './world.ts';

/** Whether a connection that was just accepted may stay; where not, it is closed already. */
export function connectionAdmission(
  connections: ConnectionLimits,
  overload: Overload,
  observer: RequestObserver,
): (socket: Socket) => boolean {
  return (socket) => {
    const taken = overload.refusing ? 'memory' : connections.take(socket.remoteAddress ?? '');
    if (typeof taken === 'string') {
      observer.rejected(REASON[taken]);
      observer.limited(taken);
      socket.destroy();
      return false;
    }
    socket.once('close', taken);
    return true;
  };
}

const REASON = {
  connections: 'too_many_connections',
  connectionsPerAddress: 'too_many_connections_of_address',
  memory: 'overloaded',
} as const;

/** Between two lines of the log on the same trouble. */
const QUIET_MS = 30_000;

/**
 * Out of file descriptors, for one: that connection is lost, the listener isn't (F48). One line for an episode, not one for
 * each of thousands of connections.
 */
export function acceptFailures(log: ProxyLog, now: () => number): (error: Error) => void {
  let told = Number.NEGATIVE_INFINITY;
  let untold = 0;
  return (error) => {
    untold += 1;
    if (now() - told < QUIET_MS) return;
    log.error({ err: error, connections: untold }, 'connections could not be accepted');
    told = now();
    untold = 0;
  };
}
