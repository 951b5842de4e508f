import { Agent, request } from 'node:http';
import { percentile } from '../statistics.ts';

export interface Paced {
  readonly sent: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Requests at a fixed rate, whatever the answers do (open loop), each from when it was due. Loopback only. */
export async function paced(spec: {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly perSecond: number;
  readonly seconds: number;
}): Promise<Paced> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const times: number[] = [];
  let failed = 0;
  const total = spec.perSecond * spec.seconds;
  const start = performance.now();
  const one = (due: number): Promise<void> =>
    new Promise((resolve) => {
      const done = (ok: boolean) => {
        if (ok) times.push(performance.now() - due);
        else failed += 1;
        resolve();
      };
      const { port, path } = spec;
      const outgoing = request({ agent, host: '127.0.0.1', port, path, headers: { host: spec.host } }, (response) => {
        response.resume();
        response.on('end', () => done(response.statusCode === 200));
        response.on('error', () => done(false));
      });
      outgoing.on('error', () => done(false));
      outgoing.end();
    });
  const open: Promise<void>[] = [];
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - start) / 1000) * spec.perSecond) + 1);
    for (; sent < due; sent++) open.push(one(start + (sent / spec.perSecond) * 1000));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(open);
  agent.destroy();
  times.sort((a, b) => a - b);
  const [p50Ms, p95Ms, p99Ms] = [percentile(times, 0.5), percentile(times, 0.95), percentile(times, 0.99)];
  return { sent: total, failed, p50Ms, p95Ms, p99Ms };
}
