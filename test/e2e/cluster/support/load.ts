import { Agent } from 'node:https';

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Answer, ask } from './ask.ts';

/** Requests that go on while something happens to the cluster. */
export interface Stream {
  /** For messages. */
  readonly name: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether an answer is what it has to be at any time. */
  right(answer: Answer): boolean;
  /** Where connections may end without an answer: told of each. */
  dropped?(): void;
}

interface LoadResult {
  readonly count: number;
  /** Each with the time since the start: `12.3 s shop: 502 …`. */
  readonly wrong: readonly string[];
}

interface Load {
  /** Ends after the requests under way. */
  stop(): Promise<LoadResult>;
}

const PAUSE = 25;

/**
 * Each stream twice: over connections that are kept, as browsers and load balancers do it, and over one connection for each
 * request, as they come from new clients. About 40 requests a second each.
 */
function startLoad(streams: readonly Stream[]): Load {
  const began = Date.now();
  const wrong: string[] = [];
  let count = 0;
  let ending = false;
  const kept = new Agent({ keepAlive: true, maxSockets: 2 });
  const one = async (stream: Stream, agent: Agent | undefined): Promise<void> => {
    const headers = stream.headers ?? {};
    const said = await ask(stream.url, { headers, ...(agent === undefined ? {} : { agent }) }).then(
      (answer) => (stream.right(answer) ? undefined : `${answer.status} ${answer.body.slice(0, 200)}`),
      (error: unknown) => {
        if (stream.dropped === undefined) return describe(error);
        stream.dropped();
        return undefined;
      },
    );
    count += 1;
    const where = agent === undefined ? 'new connection' : 'kept connection';
    if (said !== undefined)
      wrong.push(`${((Date.now() - began) / 1000).toFixed(1)} s ${stream.name}, ${where}: ${said}`);
  };
  const go = async (stream: Stream, agent: Agent | undefined): Promise<void> => {
    while (!ending) {
      await one(stream, agent);
      await sleep(PAUSE);
    }
  };
  const all = Promise.all(streams.flatMap((stream) => [go(stream, kept), go(stream, undefined)]));
  return {
    async stop() {
      ending = true;
      await all;
      kept.destroy();
      return { count, wrong };
    },
  };
}

const describe = (error: unknown): string =>
  error instanceof Error ? `${'code' in error ? String(error.code) : ''} ${error.message}` : String(error);

/**
 * Makes a change with requests going on: of the streams not one request may go wrong, from before it to after it. Give only what it
 * doesn't concern.
 */
export async function underLoad(streams: readonly Stream[], change: () => Promise<void>): Promise<void> {
  const load = startLoad(streams);
  try {
    await sleep(500);
    await change();
    await sleep(500);
  } finally {
    const { count, wrong } = await load.stop();
    expect({ wrong: wrong.length, first: wrong.slice(0, 8) }).toEqual({ wrong: 0, first: [] });
    expect(count).toBeGreaterThan(20 * streams.length);
  }
}
