import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { own } from '../../../src/resources/plain.ts';
import {
  type ApiRequest,
  type ApiResponse,
  ApiUnreachable,
  type KubernetesApi,
} from '../../../src/sources/kubernetes/api.ts';
import { Backoff, PACE } from '../../../src/sources/kubernetes/backoff.ts';
import { createListWatch } from '../../../src/sources/kubernetes/list-watch.ts';
import { handTime } from '../../support/hand-time.ts';

/** Lets everything run that waits for nothing but promises. */
const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 50; turns += 1) await Promise.resolve();
};

const object = (name: string, version: number) => ({
  metadata: { namespace: 'shop', name, resourceVersion: String(version) },
});
const page = (version: number, items: readonly object[], next?: string): ApiResponse => ({
  status: 200,
  retryAfter: undefined,
  body: { kind: 'RouteList', metadata: { resourceVersion: String(version), continue: next }, items },
});
const status = (code: number): ApiResponse => ({ status: code, retryAfter: undefined, body: { code, message: 'no' } });
const line = (type: string, of: object): string => JSON.stringify({ type, object: of });
const bookmark = (version: number): string => line('BOOKMARK', { metadata: { resourceVersion: String(version) } });

/** A watch that says what the test says. */
interface OpenStream {
  readonly request: ApiRequest & { readonly idle: number };
  say(line: string): void;
  end(error?: Error): void;
}

function world(list: (request: ApiRequest, count: number) => ApiResponse, watchStatus = (): number => 200) {
  const time = handTime();
  const lists: ApiRequest[] = [];
  const streams: OpenStream[] = [];
  const api: KubernetesApi = {
    async call(request) {
      lists.push(request);
      return list(request, lists.length);
    },
    async watch(request) {
      const code = watchStatus();
      if (code === 0) throw new ApiUnreachable('nobody there');
      const lines: (string | Error | undefined)[] = [];
      let wake = Promise.withResolvers<void>();
      const push = (what: string | Error | undefined): void => {
        lines.push(what);
        wake.resolve();
      };
      streams.push({ request, say: push, end: push });
      async function* read(): AsyncGenerator<string> {
        for (;;) {
          while (lines.length > 0) {
            const what = lines.shift();
            if (what === undefined) return;
            if (typeof what !== 'string') throw what;
            yield what;
          }
          await wake.promise;
          wake = Promise.withResolvers();
        }
      }
      return { status: code, retryAfter: undefined, body: { message: 'no' }, lines: read() };
    },
    async close() {},
  };
  const held = new Map<string, string>();
  const restarts: string[] = [];
  const states: string[] = [];
  const watch = createListWatch({
    api,
    collection: { kind: 'Route', path: '/routes' },
    handler: {
      upsert: ({ name, version }) => void held.set(name, version),
      remove: (name) => void held.delete(name),
      state: ({ kind }) => void states.push(kind),
      failed(error) {
        throw error;
      },
    },
    observer: { event() {}, restart: (_, reason) => void restarts.push(reason), fresh() {} },
    timers: time.timers,
    now: time.now,
    random: () => 0.5,
  });
  watch.start();
  return {
    watch,
    lists,
    streams,
    held,
    restarts,
    states,
    async move(ms: number) {
      time.move(ms);
      await settle();
    },
    last(): OpenStream {
      const stream = streams.at(-1);
      if (stream === undefined) throw new Error('there is no watch');
      return stream;
    },
  };
}

const MINUTE = 60_000;

describe('a list-watch', () => {
  it('F11 with bookmarks only for an hour goes on from the last one, without a list', async () => {
    const one = world(() => page(100, [object('a', 1)]));
    await settle();
    for (let minute = 1; minute <= 60; minute += 1) {
      one.last().say(bookmark(100 + minute));
      await one.move(MINUTE);
      if (minute % 7 === 0) {
        one.last().end();
        await settle();
        await one.move(2000);
      }
    }
    expect(one.lists).toHaveLength(1);
    expect(one.last().request.query?.['resourceVersion']).toBe('156');
    expect([...one.held]).toEqual([['shop/a', '1']]);
    expect(one.watch.freshAt()).toBeGreaterThan(58 * MINUTE);
  });

  it('F04 takes a stream for dead that is silent for longer than the minute between bookmarks', async () => {
    const one = world(() => page(100, []));
    await settle();
    const { request } = one.last();
    expect(request.idle).toBeGreaterThan(62_000);
    expect(request.idle).toBeLessThanOrEqual(90_000);
    expect(request.timeout).toBeGreaterThan(Number(request.query?.['timeoutSeconds']) * 1000);
    one.last().end(new ApiUnreachable('silent', 'Idle'));
    await settle();
    await one.move(1000);
    expect(one.streams).toHaveLength(2);
    expect(one.lists).toHaveLength(1);
    expect(one.states).toEqual(['Synced']);
  });

  it('asks for smaller pages where one is too large', async () => {
    const one = world(({ query }) => {
      if (Number(query?.['limit']) > 50) throw new ApiUnreachable('large', 'TooLarge');
      return page(100, [object('a', 1)]);
    });
    await settle();
    expect(one.lists.map(({ query }) => query?.['limit'])).toEqual(['250', '62', '15']);
    expect(one.watch.listed()).toBe(true);
  });

  it('begins again where the next page is no longer there, and forgets what is gone by then', async () => {
    const one = world(({ query }, count) => {
      if (count === 1) return page(100, [object('goes', 1), object('stays', 2)], 'next');
      if (query?.['continue'] !== undefined) return status(410);
      return page(120, [object('stays', 2), object('comes', 110)]);
    });
    await settle();
    expect(one.lists.at(1)?.query?.['continue']).toBe('next');
    expect(one.watch.listed()).toBe(false);
    await one.move(1000);
    expect([...one.held.keys()].sort()).toEqual(['shop/comes', 'shop/stays']);
    expect(one.last().request.query?.['resourceVersion']).toBe('120');
  });

  it('F02 sees changes and deletions, and after a break goes on from the last event', async () => {
    const one = world(() => page(100, [object('a', 1), object('b', 2)]));
    await settle();
    one.last().say(line('MODIFIED', object('a', 101)));
    one.last().say(line('DELETED', object('b', 102)));
    one.last().say(line('ADDED', object('c', 103)));
    await settle();
    expect([...one.held]).toEqual([
      ['shop/a', '101'],
      ['shop/c', '103'],
    ]);
    one.last().end(new ApiUnreachable('cut'));
    await settle();
    expect(one.states).toEqual(['Synced', 'Failing']);
    await one.move(1000);
    expect(one.last().request.query?.['resourceVersion']).toBe('103');
    expect(one.lists).toHaveLength(1);
    expect(one.states.at(-1)).toBe('Synced');
  });

  const nonsense: readonly (readonly [string, string])[] = [
    ['garbage', 'no json'],
    ['garbage', line('ADDED', { metadata: { name: 'a' } })],
    ['garbage', line('NEWS', object('a', 5))],
    ['status_500', line('ERROR', { kind: 'Status', code: 500, message: 'etcd' })],
  ];
  it.each(nonsense)(
    'F07 %s in the stream (%s): goes on from where it was, then lists, and says so',
    async (reason, said) => {
      const one = world(() => page(100, []));
      await settle();
      for (let attempt = 1; attempt <= 4; attempt += 1) {
        expect(one.lists).toHaveLength(1);
        one.last().say(said);
        await settle();
        await one.move(20_000);
        if (attempt < 4) expect(one.watch.state()).toMatchObject({ kind: 'Failing' });
      }
      expect(one.restarts).toEqual(Array.from({ length: 4 }, () => reason));
      expect(one.lists).toHaveLength(2);
    },
  );

  it('F05 where every version is too old lists are one in 30 s at most, after a few', async () => {
    let opened = 0;
    const one = world(
      () => page(100, []),
      () => {
        opened += 1;
        return 410;
      },
    );
    for (let second = 0; second < 3600; second += 1) await one.move(1000);
    expect(one.lists.length).toBeLessThanOrEqual(5 + 3600 / 30 + 1);
    expect(one.lists.length).toBeGreaterThan(60);
    expect(opened).toBe(one.lists.length);
  });

  it('an API server with too much to do is not asked for lists where it refuses watches', async () => {
    const one = world(
      () => page(100, []),
      () => (one === undefined ? 200 : 503),
    );
    await settle();
    for (let second = 0; second < 600; second += 1) await one.move(1000);
    expect(one.streams.length).toBeGreaterThan(50);
    expect(one.lists).toHaveLength(1);
  });

  it('F09 a kind that has gone away is looked for again, and what is known stays until a list says otherwise', async () => {
    let there = true;
    const one = world(
      () => (there ? page(100, [object('a', 1)]) : status(404)),
      () => (there ? 200 : 404),
    );
    await settle();
    there = false;
    one.last().end();
    await settle();
    for (let second = 0; second < 120; second += 1) await one.move(1000);
    expect([...one.held.keys()]).toEqual(['shop/a']);
    expect(one.watch.state()).toMatchObject({ kind: 'Failing', code: 404 });
    expect(one.lists.length).toBeLessThan(40);
    there = true;
    await one.move(11_000);
    expect(one.watch.state()).toEqual({ kind: 'Synced' });
  });

  it('F01 F02 keeps all for 24 hours, and has a fresh list 5 s after an API server is back that must warm up and forgot all', async () => {
    const answers: number[] = [];
    let otherwise = 200;
    const one = world(
      (_, count) => page(count * 10, [object(count === 1 ? 'stays' : 'comes', 1)]),
      () => answers.shift() ?? otherwise,
    );
    await settle();
    otherwise = 0;
    one.last().end(new ApiUnreachable('nobody there'));
    for (let second = 0; second < 24 * 60 * 60; second += 2) await one.move(2000);
    expect([...one.held.keys()]).toEqual(['shop/stays']);
    expect(one.states).toEqual(['Synced', 'Failing']);
    expect(one.lists).toHaveLength(1);
    expect(one.restarts.length).toBeGreaterThan((24 * 60 * 60) / 5);
    expect(one.restarts.length).toBeLessThan((24 * 60 * 60) / 2);

    // It has its caches to fill, and then no history.
    answers.push(429, 429, 410);
    otherwise = 200;
    for (let moved = 0; moved < 5000; moved += 100) await one.move(100);
    expect([...one.held.keys()]).toEqual(['shop/comes']);
    expect(one.lists).toHaveLength(2);
  });

  it('ends when it is told to, whatever it waits for', async () => {
    const one = world(() => status(500));
    await settle();
    await one.watch.stop();
    const asked = one.lists.length;
    await one.move(MINUTE);
    expect(one.lists).toHaveLength(asked);
  });
});

describe('pauses', () => {
  it('A164 are never under half of what they double to, nor over it, nor before the server said', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.nat(30),
        fc.option(fc.nat(300_000)),
        (random, attempts, asked) => {
          const backoff = new Backoff(PACE, () => random);
          for (let attempt = 0; attempt < attempts; attempt += 1) backoff.next('reach');
          const whole = Math.min(PACE.first * 2 ** attempts, PACE.reach);
          const pause = backoff.next('reach', asked ?? undefined);
          expect(pause).toBeGreaterThanOrEqual(Math.max(whole / 2, asked ?? 0));
          expect(pause).toBeLessThanOrEqual(Math.max(whole, (asked ?? 0) + PACE.first));
        },
      ),
    );
  });

  it('F02 while the API server is away are shorter than the 5 s in which its return must be seen', () => {
    expect(PACE.reach).toBeLessThan(5000);
    expect(own(PACE, 'list')).toBe(30_000);
  });
});
