import { answerTo, open } from '../client.ts';
import { isAt, newSeed } from '../pattern.ts';
import { between, oneIn, pause, size } from '../random.ts';
import type { Load, SoakWorld } from '../world.ts';

const MOST = 8 << 20;
const LARGE = 64 << 20;

/** Known bytes, with and without a length, now and then many of them to a client that reads slowly (F47). */
export const downloads: Load = {
  kind: 'downloads',
  workers: 3,
  pause: 300,
  async once(world) {
    const large = oneIn(80);
    const bytes = large ? LARGE : size(MOST);
    const seed = newSeed();
    const { asked, replica } = begin(world, seed, bytes);
    const response = await answerTo(asked, replica);
    let received = 0;
    try {
      for await (const chunk of response) {
        const part: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
        if (!isAt(seed, received, part)) throw new Error('other bytes than were sent');
        received += part.length;
        if (large) await pause(10);
      }
    } catch (error) {
      throw new Error(
        `${received} of ${bytes} bytes down from ${replica.name}${replica.ending ? ' (ending)' : ''}: ${error}`,
      );
    }
    if (response.statusCode !== 200 || received !== bytes)
      throw new Error(`${response.statusCode} with ${received} bytes of ${bytes} down`);
    return large ? '200 large, slow' : '200';
  },
};

/** Gone before the head of the answer, or at any point behind it (F46). */
export const abortedDownloads: Load = {
  kind: 'downloads aborted',
  workers: 2,
  pause: 200,
  async once(world) {
    const bytes = size(MOST);
    const until = between(0, bytes);
    const { asked } = begin(world, 0, bytes);
    const ended = new Promise<void>((resolve) => {
      const leave = (): void => {
        if (oneIn(2)) asked.socket?.resetAndDestroy();
        asked.destroy();
        resolve();
      };
      asked.on('close', () => resolve());
      if (oneIn(4)) setTimeout(leave, between(0, 10));
      let received = 0;
      asked.on('response', (response) => {
        response.on('error', () => {});
        response.on('data', (part: Buffer) => {
          received += part.length;
          if (received >= until) leave();
        });
      });
    });
    await ended;
    return 'aborted';
  },
};

function begin(world: SoakWorld, seed: number, bytes: number) {
  const path = `/app/down?seed=${seed}&bytes=${bytes}${oneIn(2) ? '&chunked' : ''}`;
  const replica = world.replicas.pick();
  const cookie = world.sessions.cookie(world.sessions.any(), path);
  const asked = open(replica, { host: world.host, path, cookie, alone: true });
  asked.end();
  return { asked, replica };
}
