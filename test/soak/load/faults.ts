import { answerTo, open, read } from '../client.ts';
import { between } from '../random.ts';
import type { Load } from '../world.ts';

interface Fault {
  readonly path: string;
  /** Undefined: the answer has begun, and must not come to its end. */
  readonly status: number | undefined;
}

const FAULTS: readonly Fault[] = [
  { path: 'reset', status: 502 },
  { path: 'garbage', status: 502 },
  { path: 'stall', status: 504 },
  { path: 'half', status: undefined },
  { path: 'pauses', status: undefined },
];

/** An upstream that fails: each failure has its answer, and a response that breaks off never looks whole. */
export const faults: Load = {
  kind: 'faults of upstream',
  workers: 2,
  pause: 500,
  async once(world) {
    const { path: name, status } = FAULTS[between(0, FAULTS.length - 1)] ?? { path: 'reset', status: 502 };
    const path = `/faulty/${name}`;
    const replica = world.replicas.pick();
    const cookie = world.sessions.cookie(world.sessions.any(), path);
    const asked = open(replica, { host: world.host, path, cookie, alone: true });
    asked.end();
    const response = await answerTo(asked, replica);
    const whole = await read(response, replica).then(
      (reply) => reply.status,
      () => undefined,
    );
    if (whole !== status) throw new Error(`${name}: ${whole ?? 'broken off'} instead of ${status ?? 'broken off'}`);
    return `${name}: ${status ?? 'broken off'}`;
  },
};
