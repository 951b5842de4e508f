import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

interface Forwarded {
  /** On 127.0.0.1. */
  readonly number: number;
  stop(): Promise<void>;
}

/** A free port of 127.0.0.1 that leads to a port of one Pod, past every Service. */
export async function forward(namespace: string, pod: string, port: number): Promise<Forwarded> {
  const args = ['port-forward', '-n', namespace, `pod/${pod}`, `:${port}`, '--address', '127.0.0.1'];
  const child = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  const lines = createInterface(child.stdout);
  const [line]: readonly unknown[] = await Promise.race([once(lines, 'line'), ended.then(() => [''])]);
  // What it says of each connection is read, or it would wait.
  lines.on('line', () => {});
  const number = Number(/127\.0\.0\.1:(\d+)/.exec(String(line))?.[1]);
  if (Number.isInteger(number)) return { number, stop };
  await stop();
  throw new Error(`kubectl ${args.join(' ')} gave no port: ${String(line)}`);
}
