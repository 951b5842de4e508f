import type { ClientRequest } from 'node:http';
import { answerTo, open, read } from '../client.ts';
import { LIMITED } from '../objects.ts';
import { bytesAt, newSeed } from '../pattern.ts';
import { between, oneIn, pause, size } from '../random.ts';
import type { Load, SoakWorld } from '../world.ts';

const MOST = 4 << 20;
const LARGE = 64 << 20;

/** Known bytes, with and without a length, now and then many of them to an upstream that reads slowly. */
export const uploads: Load = {
  kind: 'uploads',
  workers: 3,
  pause: 300,
  async once(world) {
    const large = oneIn(80);
    const bytes = large ? LARGE : size(MOST);
    const seed = newSeed();
    const { asked, replica } = begin(
      world,
      `/app/up?seed=${seed}${large ? '&slow' : ''}`,
      oneIn(2) ? bytes : undefined,
    );
    const [{ status, body }] = await Promise.all([
      answerTo(asked, replica).then((response) => read(response, replica)),
      send(asked, seed, bytes),
    ]);
    if (status !== 200 || body !== `${bytes} true`) throw new Error(`${bytes} bytes up: ${status} ${body}`);
    return large ? '200 large, slow' : '200';
  },
};

/** The answer comes through although the body was refused in the middle. */
export const tooLarge: Load = {
  kind: 'uploads too large',
  workers: 1,
  pause: 2000,
  async once(world) {
    const bytes = LIMITED + between(1, 1 << 20);
    const { asked, replica } = begin(world, `/app/limited/up?seed=0`, oneIn(2) ? bytes : undefined);
    const answer = answerTo(asked, replica);
    void send(asked, 0, bytes).catch(() => {});
    const response = await answer;
    response.on('error', () => {});
    response.resume();
    if (response.statusCode !== 413)
      throw new Error(`${response.statusCode} to ${bytes} bytes where ${LIMITED} are allowed`);
    asked.destroy();
    return '413';
  },
};

/** Gone at any point of the head or the body (F46). */
export const abortedUploads: Load = {
  kind: 'uploads aborted',
  workers: 2,
  pause: 200,
  async once(world) {
    const bytes = size(MOST);
    const until = between(0, bytes);
    const { asked } = begin(world, `/app/up?seed=0`, oneIn(2) ? bytes + 1 : undefined);
    asked.on('response', (response) => response.on('error', () => {}).resume());
    await send(asked, 0, until, false).catch(() => {});
    await pause(oneIn(2) ? 0 : between(0, 300));
    if (oneIn(2)) asked.socket?.resetAndDestroy();
    asked.destroy();
    return 'aborted';
  },
};

function begin(world: SoakWorld, path: string, length: number | undefined) {
  const replica = world.replicas.pick();
  const asked = open(replica, {
    host: world.host,
    path,
    method: 'POST',
    cookie: world.sessions.cookie(world.sessions.any(), path),
    headers: length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) },
    alone: true,
  });
  return { asked, replica };
}

/** As fast as it is taken. Rejects where the connection ends before. */
async function send(asked: ClientRequest, seed: number, bytes: number, end = true): Promise<void> {
  for (let sent = 0; sent < bytes; ) {
    if (asked.destroyed) return;
    const part = bytesAt(seed, sent, bytes - sent);
    sent += part.length;
    if (!asked.write(part)) await drained(asked);
  }
  if (end) asked.end();
}

const drained = (asked: ClientRequest): Promise<void> =>
  new Promise((resolve) => {
    const on = (): void => {
      asked.off('drain', on);
      asked.off('close', on);
      resolve();
    };
    asked.on('drain', on);
    asked.on('close', on);
  });
