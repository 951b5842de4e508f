import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Tries until `attempt` gives something other than undefined or false, and gives that; rejects after `seconds` with what
 * the last one threw, if it did.
 */
export async function until<T>(
  what: string,
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
  seconds = 60,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  let last: unknown;
  for (;;) {
    try {
      const found = await attempt();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`${what}: not after ${seconds} s`, { cause: last });
    await sleep(250);
  }
}
