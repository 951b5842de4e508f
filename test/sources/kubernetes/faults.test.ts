import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PACE } from '../../../src/sources/kubernetes/backoff.ts';
import { type ApiServer, startApiServer } from '../../support/apiserver.ts';
import { programPath } from '../../support/assets.ts';
import { type FaultyAnswer, type FaultyApi, startFaultyApi, statusAnswer } from '../../support/faulty-api.ts';
import {
  applyCrds,
  eventually,
  FAST,
  listedSpecs,
  manifests,
  namespaces,
  type StartedSource,
  service,
  specs,
  startSource,
  stopSources,
} from './cluster.ts';

const TIMEOUT = 120_000;
const PATH = '/apis/postern.dev/v1alpha1/namespaces/shop/services';

describe.skipIf(programPath('kube-apiserver') === '')(
  'an API server in trouble (npm run test:assets)',
  { timeout: TIMEOUT },
  () => {
    let server: ApiServer;
    let faulty: FaultyApi;
    beforeAll(async () => {
      server = await startApiServer();
      await applyCrds(server);
      faulty = await startFaultyApi(server);
      await server.apply(manifests(...namespaces('shop')));
    }, TIMEOUT);
    afterEach(async () => {
      faulty.set({});
      await stopSources();
      await server.call('DELETE', PATH);
    });
    afterAll(async () => {
      await faulty?.stop();
      await server?.stop();
    }, TIMEOUT);

    const create = (name: string) => server.call('POST', PATH, service('shop', name));
    const change = (name: string, url: string) =>
      server.call('PATCH', `${PATH}/${name}`, { spec: { url } }, 'application/merge-patch+json');
    const remove = (name: string) => server.call('DELETE', `${PATH}/${name}`);
    const ours = (one: StartedSource): Record<string, unknown> =>
      Object.fromEntries(Object.entries(specs(one)).filter(([key]) => key.startsWith('Service/')));
    const isAsListed = async (one: StartedSource): Promise<boolean> =>
      sorted(ours(one)) === sorted(await listedSpecs(server));
    const lists = () => faulty.calls().filter(({ verb }) => verb === 'list');

    it('F01 F02 without an API server all stays; when it is back the table is as a fresh list, within 5 s and without one', async () => {
      for (const name of ['stays', 'changes', 'goes']) await create(name);
      const one = await startSource(faulty.kubeconfig, { pace: PACE });
      await one.started;
      const before = ours(one);
      expect(Object.keys(before)).toHaveLength(3);

      faulty.set({ refuse: true });
      await change('changes', 'https://example.org');
      await remove('goes');
      await create('comes');
      await sleep(7000);
      expect(ours(one)).toEqual(before);
      expect(one.source.health().filter(({ state }) => state === 'Failing').length).toBeGreaterThan(5);
      expect(one.lines.some((line) => line.includes('what was known before stays in use'))).toBe(true);

      faulty.forget();
      faulty.set({});
      // 5 s, and what two noisy cores need.
      await eventually('it is as a fresh list', () => isAsListed(one), 5000 + 3000);
      expect(Object.keys(ours(one)).sort()).toEqual([
        'Service/shop/changes',
        'Service/shop/comes',
        'Service/shop/stays',
      ]);
      expect(lists().filter(({ path }) => !path.includes('referencegrants'))).toEqual([]);
    });

    it('F02 where its version is too old one list brings changes and deletions', async () => {
      for (const name of ['stays', 'goes']) await create(name);
      const one = await startSource(faulty.kubeconfig);
      await one.started;
      let gone = 0;
      faulty.set({ refuse: true });
      await remove('goes');
      await create('comes');
      faulty.forget();
      faulty.set({
        answer(call) {
          if (call.verb !== 'watch' || !call.path.endsWith('/v1alpha1/services') || gone > 0) return undefined;
          gone += 1;
          return statusAnswer(410);
        },
      });
      await eventually('it is as a fresh list', () => isAsListed(one));
      expect(lists().filter(({ path }) => path.endsWith('/v1alpha1/services'))).toHaveLength(1);
      expect(one.restarts).toContain('Service gone');
    });

    it('F02 an error of code 410 within the stream is the same', async () => {
      await create('goes');
      const one = await startSource(faulty.kubeconfig);
      await one.started;
      let gone = 0;
      faulty.set({
        line(line, call) {
          if (!call.path.endsWith('/v1alpha1/services') || gone > 0) return line;
          gone += 1;
          return `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } })}\n`;
        },
      });
      faulty.cut();
      await eventually('it watches again', () => faulty.calls().filter(({ verb }) => verb === 'watch').length > 12);
      await remove('goes');
      await eventually('it is as a fresh list', () => isAsListed(one));
      expect(one.restarts).toContain('Service gone');
    });

    it('F04 a watch that is half-open is noticed, and what was missed is seen', async () => {
      const one = await startSource(faulty.kubeconfig, { idle: 2000 });
      await one.started;
      await create('seen');
      await eventually('the watch works', () => isAsListed(one));
      faulty.set({ blackHole: true });
      await create('missed');
      await sleep(1000);
      expect(Object.keys(ours(one))).not.toContain('Service/shop/missed');
      faulty.set({});
      await eventually('it is as a fresh list', () => isAsListed(one));
      expect(one.restarts).toContain('Service idle');
    });

    it('F05 watches that end every 100 ms cost few watches and no list', async () => {
      const one = await startSource(faulty.kubeconfig, { pace: PACE });
      await one.started;
      faulty.set({ cutWatches: { after: 100, cleanly: true } });
      faulty.cut();
      faulty.forget();
      await sleep(12_000);
      const watches = faulty
        .calls()
        .filter(({ verb, path }) => verb === 'watch' && path.endsWith('/v1alpha1/services'));
      expect(watches.length).toBeGreaterThan(2);
      expect(watches.length).toBeLessThan(14);
      expect(lists().filter(({ path }) => !path.includes('referencegrants'))).toEqual([]);
      await create('seen');
      await eventually('it is seen all the same', () => isAsListed(one));
    });

    const html: FaultyAnswer = { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Sign in</h1>\n' };
    const wrongs: readonly (readonly [string, FaultyAnswer, string])[] = [
      ['401', statusAnswer(401), 'credentials'],
      ['403', statusAnswer(403), 'may not list and watch services.postern.dev in all namespaces'],
      ['429', statusAnswer(429), '429'],
      ['500', statusAnswer(500), '500'],
      ['503', statusAnswer(503), '503'],
      ['503 without a Status', { status: 503, body: 'no backend' }, '503'],
      ['200 with HTML', html, 'no event|no list'],
      ['200 with garbage', { status: 200, body: '{"type":"ADDED","object":{}}\n' }, 'no event|no list'],
      ['200 with nothing', { status: 200, body: '' }, ''],
    ];
    it.each(wrongs)(
      'F07 %s: what is known stays, it is visible, and it goes on by itself',
      async (_, wrong, problem) => {
        await create('stays');
        const one = await startSource(faulty.kubeconfig);
        await one.started;
        const before = ours(one);
        faulty.set({ answer: () => wrong });
        faulty.cut();
        const change = create('comes');
        await eventually('it is visible', () =>
          one.source
            .health()
            .some(
              ({ resource, problem: said }) =>
                resource === 'services.postern.dev' && new RegExp(problem).test(said ?? ''),
            ),
        );
        await sleep(1500);
        await change;
        expect(ours(one)).toEqual(before);
        faulty.set({});
        await eventually('it is as a fresh list', () => isAsListed(one));
        await eventually('all is well', () => one.source.health().every(({ problem: said }) => said === undefined));
      },
    );

    it.each(wrongs.filter(([name]) => name !== '200 with nothing'))(
      'F07 F28 %s at the start: it waits',
      async (_, wrong) => {
        await create('there');
        faulty.set({ answer: (call) => (call.path.includes('referencegrants') ? undefined : wrong) });
        const one = await startSource(faulty.kubeconfig);
        await sleep(600);
        expect(one.hasStarted()).toBe(false);
        faulty.set({});
        await one.started;
        expect(await isAsListed(one)).toBe(true);
      },
    );

    it('F07 Retry-After is honoured', async () => {
      const one = await startSource(faulty.kubeconfig);
      await one.started;
      faulty.set({ answer: () => statusAnswer(429, { 'retry-after': '4' }) });
      faulty.forget();
      faulty.cut();
      const asked = () => faulty.calls().filter(({ path }) => path.endsWith('/v1alpha1/services')).length;
      await eventually('it asked', () => asked() > 0);
      await sleep(2500);
      expect(asked()).toBe(1);
      await eventually('it asks again', () => asked() > 1);
    });

    it('F11 the API server sends bookmarks, and from the last one it goes on', async () => {
      const one = await startSource(faulty.kubeconfig);
      await one.started;
      const watches = faulty.calls().filter(({ verb }) => verb === 'watch');
      expect(watches.length).toBeGreaterThan(5);
      for (const { query } of watches) {
        expect(query.get('allowWatchBookmarks')).toBe('true');
        expect(Number(query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(240);
        expect(Number(query.get('timeoutSeconds'))).toBeLessThan(480);
        expect(query.get('resourceVersion')).toMatch(/^[1-9]\d*$/);
      }
      expect(new Set(watches.map(({ query }) => query.get('timeoutSeconds'))).size).toBeGreaterThan(1);
    });

    it('F55 what throws on the way is contained, said, and stops nothing', async () => {
      const thrower = (what: string) => (): never => {
        throw new Error(`${what} threw`);
      };
      await create('before');
      const one = await startSource(faulty.kubeconfig, {
        referencedSecrets: thrower('references'),
        endpoints: { service: thrower('service'), slice: thrower('slice') },
        metrics: { event: thrower('event'), restart: thrower('restart'), fresh: thrower('fresh') },
        statusChanged: thrower('status'),
      });
      await one.started;
      faulty.cut();
      await create('after');
      await eventually('it is as a fresh list', () => isAsListed(one));
      expect(one.lines.filter((line) => line.startsWith('error') && line.includes('references threw'))).not.toEqual([]);
      expect(one.lines.filter((line) => line.startsWith('error') && line.includes('service threw'))).not.toEqual([]);
    });

    it('F57 after each of 100 rounds of cuts and errors with changes meanwhile the table is as a fresh list', async () => {
      const one = await startSource(faulty.kubeconfig, { pace: { ...FAST, list: 200 }, idle: 1500 });
      await one.started;
      const random = seeded(57);
      const pick = <T>(list: readonly [T, ...T[]]): T => list[Math.floor(random() * list.length)] ?? list[0];
      const faults: readonly [() => void, ...(() => void)[]] = [
        () => faulty.cut(),
        () => faulty.set({ refuse: true }),
        () => faulty.set({ blackHole: true }),
        () => faulty.set({ cutWatches: { after: 30, cleanly: random() < 0.5 } }),
        () => faulty.set({ delay: 40 }),
        () =>
          faulty.set({ answer: () => (random() < 0.5 ? statusAnswer(pick([401, 403, 429, 500, 503])) : undefined) }),
        () =>
          faulty.set({ answer: ({ verb }) => (verb === 'watch' && random() < 0.5 ? statusAnswer(410) : undefined) }),
        () => faulty.set({ line: (line) => (random() < 0.5 ? line : `${line.slice(0, 20)}\n`) }),
        () => faulty.set({ answer: () => (random() < 0.3 ? html : undefined) }),
      ];
      let worst = 0;
      for (let round = 0; round < 100; round += 1) {
        pick(faults)();
        for (let changes = 0; changes < 3; changes += 1) {
          const name = `s${Math.floor(random() * 12)}`;
          const made = await create(name);
          if (made.status === 409)
            await (random() < 0.4 ? remove(name) : change(name, `https://h${round}-${changes}.example.com`));
          await sleep(random() * 20);
        }
        faulty.set({});
        const healed = Date.now();
        await eventually(`round ${round}: as a fresh list`, () => isAsListed(one), 10_000);
        worst = Math.max(worst, Date.now() - healed);
      }
      expect(worst).toBeLessThan(5000 + 3000);
      expect(one.lines.filter((line) => line.startsWith('error'))).toEqual([]);
    });
  },
);

const sorted = (specs: Record<string, unknown>): string =>
  JSON.stringify(Object.entries(specs).sort(([a], [b]) => (a < b ? -1 : 1)));

/** mulberry32: the same numbers each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
