import type { ApiRequest, KubernetesApi } from '../api.ts';
import type { Log, Timers } from '../world.ts';
import { callInTime } from './call-in-time.ts';
import { readLease, released } from './lease.ts';

export interface ReleaseOptions {
  readonly api: KubernetesApi;
  /** Of the Lease. */
  readonly path: string;
  readonly name: string;
  readonly identity: string;
  /** Milliseconds since the epoch. */
  wallNow(): number;
  readonly timers: Timers;
  readonly log: Log;
}

const TIMEOUT = 2000;

/** Gives the Lease back, where this process holds it still, so that another leads at once. Doesn't reject. */
export async function release({ api, path, identity, ...options }: ReleaseOptions): Promise<void> {
  const call = (request: ApiRequest) => callInTime(api, options.timers, request, TIMEOUT);
  try {
    const answer = await call({ method: 'GET', path });
    const lease = answer.status === 200 ? readLease(answer.body) : undefined;
    if (lease?.holder !== identity) return;
    await call({ method: 'PUT', path, body: released(lease, options.wallNow()) });
  } catch (error) {
    options.log.info(
      { err: error, lease: options.name },
      'the Lease was not given back; another replica takes it when it is over',
    );
  }
}
