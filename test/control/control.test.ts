import { describe, expect, it } from 'vitest';
import { explain } from '../../src/control/explain.ts';
import type { PluginKind } from '../../src/plugins/contract.ts';
import { namespacedName, objectKey } from '../../src/resources/keys.ts';
import type { PluginInstance, RequestView } from '../../src/routing/decision.ts';
import { parseTarget } from '../../src/routing/target.ts';
import { tinyKind } from '../support/tiny-plugin.ts';
import { type Harness, harness, pipeline } from './harness.ts';
import { route, scriptedSource, secret, service, token } from './objects.ts';

const TOKEN = objectKey('SharedToken', namespacedName('shop', 'door'));
const ROUTE = objectKey('Route', namespacedName('shop', 'orders'));

/** One Service, one Protected Route, its plugin and the plugin's Secret. */
async function guarded(h: Harness): Promise<void> {
  h.source.set('s', service('orders'));
  h.source.set('r', route('orders', 'orders', 'door'));
  h.source.set('p', token('door'));
  h.source.set('k', secret('door', 'one'));
  await h.control.start();
}

const ask = (h: Harness, path = '/orders'): string => {
  const snapshot = h.control.current();
  if (snapshot === undefined) return 'nothing';
  return explain(snapshot.table, { method: 'GET', host: 'shop.example.com', path, headers: new Map() }).answer;
};
const condition = (h: Harness, key: typeof ROUTE, type: string): unknown =>
  h.control
    .verdicts()
    .get(key)
    ?.conditions.find((one) => one.type === type);

describe('control loop', () => {
  it('publishes at the start, once everything was read', async () => {
    const h = harness();
    await guarded(h);
    expect(h.control.current()?.generation).toBe(1);
    expect(ask(h)).toBe('Protected');
    expect(h.life.instances).toMatchObject([{ key: TOKEN, token: 'one', stops: 0 }]);
    expect(h.publications).toHaveLength(1);
    expect(h.publications[0]?.previous).toBeUndefined();
  });

  it('F28 publishes nothing before the source has read everything once, whatever it marks', async () => {
    const h = harness({ source: scriptedSource(false) });
    h.source.set('s', service('orders'));
    const started = h.control.start();
    h.source.set('r', route('orders', 'orders', 'door'));
    h.time.move(10_000);
    expect(h.control.acquire()).toBeUndefined();
    expect(h.reconciles).toEqual([]);
    h.source.sync();
    await started;
    expect(h.control.current()?.generation).toBe(1);
  });

  it('says why where the source cannot start', async () => {
    const source = { ...scriptedSource(), start: () => Promise.reject(new Error('no such directory')) };
    await expect(harness({ source }).control.start()).rejects.toThrow('no such directory');
  });

  it('publishes nothing where nothing changed that anybody could see', async () => {
    const h = harness();
    await guarded(h);
    h.source.set('r', route('orders', 'orders', 'door'));
    h.settle();
    h.source.set('k2', secret('unused', 'x'));
    h.settle();
    expect(h.control.current()?.generation).toBe(1);
    expect(h.reconciles.slice(1)).toEqual(['unchanged', 'unchanged']);
    // A Secret has a verdict, or none: what is told is only what is news.
    for (const { snapshot, previous } of h.publications.slice(1)) expect(snapshot).toBe(previous);
  });

  it('A163 forgets what came and went between two publications', async () => {
    const h = harness();
    await guarded(h);
    for (let i = 0; i < 20; i++) {
      h.source.set(`unused ${i}`, secret('unused', 'x'));
      h.settle();
      h.source.set(`unused ${i}`, undefined);
      h.settle();
    }
    h.source.set('s', service('orders', 9090));
    h.settle();
    expect([...(h.publications.at(-1)?.parsed.changes ?? [])]).toHaveLength(1);
  });

  it('tells of verdicts that changed though the table did not', async () => {
    const h = harness();
    await guarded(h);
    h.source.set('p2', token('unused', 'missing'));
    h.settle();
    expect(h.control.current()?.generation).toBe(1);
    const [, news] = h.publications;
    expect(news?.snapshot).toBe(news?.previous);
    const key = objectKey('SharedToken', namespacedName('shop', 'unused'));
    expect(news?.changed.map(({ key, before }) => [key, before])).toEqual([[key, undefined]]);
    expect(news?.verdicts.get(key)?.problems[0]?.reason).toBe('SecretNotFound');
  });

  it('parses an object again only where its version is another', async () => {
    const h = harness();
    await guarded(h);
    expect(h.parses).toHaveLength(4);
    h.source.mark();
    h.settle();
    expect(h.parses).toHaveLength(4);
    h.source.set('s', service('orders', 9090));
    h.settle();
    expect(h.parses).toHaveLength(5);
  });

  it('F14 a compiler that throws leaves the old snapshot, is counted, and is tried again at the next change', async () => {
    let broken = false;
    const kinds = [tinyKind()];
    const { compile } = pipeline(kinds);
    const h = harness({
      kinds,
      compile(objects) {
        if (broken) throw new Error('bug');
        return compile(objects);
      },
    });
    await guarded(h);
    const before = h.control.current();
    broken = true;
    h.source.set('s', undefined);
    h.settle();
    expect(h.control.current()).toBe(before);
    expect(h.reconciles).toEqual(['published', 'failed']);
    expect(h.logged[0]).toContain('compiling failed');
    broken = false;
    h.source.mark();
    h.settle();
    expect(h.reconciles.at(-1)).toBe('published');
    expect(ask(h)).toBe('Denied');
  });

  it('F14 what changed in a run that failed late is in the next one', async () => {
    let broken = false;
    const kinds = [tinyKind()];
    const { compile } = pipeline(kinds);
    const h = harness({
      kinds,
      *compile(objects) {
        const compiled = yield* compile(objects);
        if (broken) throw new Error('bug');
        return compiled;
      },
    });
    await guarded(h);
    const before = h.control.current();
    broken = true;
    h.source.set('r', route('orders', 'missing', 'p'));
    h.settle();
    expect(h.control.current()).toBe(before);
    broken = false;
    h.source.set('p2', token('unused', 'missing'));
    h.settle();
    const { table, hash } = h.control.current() ?? {};
    const [entry] = table?.exact.get('shop.example.com')?.paths.children.get('orders')?.prefix ?? [];
    expect(entry?.entry.exposure).toBe('Denied');
    expect(hash).not.toBe(before?.hash);
    expect(h.control.verdicts().get(objectKey('Route', namespacedName('shop', 'orders')))?.exposure).toBe('Denied');
  });

  it('F14 a compiler that throws the first time is not the end either', async () => {
    let broken = true;
    const kinds = [tinyKind()];
    const h = harness({
      kinds,
      compile(objects) {
        if (broken) throw new Error('bug');
        return pipeline(kinds).compile(objects);
      },
    });
    const started = h.control.start();
    await Promise.resolve();
    await Promise.resolve();
    expect(h.control.acquire()).toBeUndefined();
    broken = false;
    h.source.set('s', service('orders'));
    h.settle();
    await started;
    expect(h.control.current()?.generation).toBe(1);
  });

  it('F13 one invalid object among many closes its own place and is said', async () => {
    const h = harness();
    h.source.set('s', service('a'));
    for (let i = 0; i < 200; i += 1) h.source.set(`r${i}`, route(`a${i}`, 'a'));
    await h.control.start();
    h.source.set('r7', route('a7', 'a', undefined, { methods: 'GET' }));
    h.settle();
    expect(ask(h, '/a7')).toBe('Denied');
    for (let i = 0; i < 200; i += 1) if (i !== 7) expect(ask(h, `/a${i}`)).toBe('Public');
    expect(h.control.verdicts().get(objectKey('Route', namespacedName('shop', 'a7')))?.problems).not.toEqual([]);
  });

  it('F16 A176 no order in which Route, plugin and Secret come or go leaves the Route open for a moment', async () => {
    const objects = {
      r: route('orders', 'orders', 'door'),
      p: token('door'),
      k: secret('door', 'one'),
      s: service('orders'),
    };
    const names = ['r', 'p', 'k', 's'] as const;
    for (const order of permutations(names)) {
      const h = harness();
      h.source.set('other', service('other'));
      // What lies behind: the whole host is Public, but for what the Route claims.
      h.source.set('all', route('all', 'other', undefined, { paths: [{ type: 'Prefix', value: '/' }] }));
      await h.control.start();
      const seen: string[] = [];
      const steps = [
        ...order.map((name) => [name, objects[name]] as const),
        ...order.map((name) => [name, undefined] as const),
      ];
      for (const [name, value] of steps) {
        h.source.set(name, value);
        h.settle();
        const claimed = h.source.objects().has('r');
        seen.push(`${claimed ? 'claimed' : 'free'} ${ask(h)}`);
      }
      for (const one of seen) expect(['free Public', 'claimed Denied', 'claimed Protected']).toContain(one);
      expect(seen).toContain('claimed Protected');
    }
  });

  it('A176 a plugin that is deleted and made again within the quiet time is not noticed at all', async () => {
    const h = harness();
    await guarded(h);
    const before = h.control.current();
    h.source.set('p', undefined);
    h.time.move(10);
    h.source.set('p', token('door'));
    h.settle();
    expect(h.control.current()).toBe(before);
    expect(h.life.instances).toHaveLength(1);
  });

  it('keeps an instance whose config is unchanged, though its Routes and their needs change', async () => {
    const h = harness();
    await guarded(h);
    h.source.set('r2', route('two', 'orders', 'door', { authorization: { rules: [{ name: 'g', groups: ['x'] }] } }));
    h.source.set('p', token('door'));
    h.settle();
    expect(h.control.current()?.generation).toBe(2);
    expect(h.life.instances).toMatchObject([{ stops: 0 }]);
  });

  it('starts a new instance where only the value of a secret changed, and does not show it in the hash', async () => {
    const h = harness();
    await guarded(h);
    const before = h.control.current()?.hash;
    h.source.set('k', secret('door', 'two'));
    h.settle();
    expect(h.control.current()).toMatchObject({ generation: 2, hash: before });
    expect(h.life.instances).toMatchObject([
      { token: 'one', stops: 1 },
      { token: 'two', stops: 0 },
    ]);
  });

  it('F15 a lease keeps its snapshot and its instances until it ends', async () => {
    const h = harness();
    await guarded(h);
    const lease = h.control.acquire();
    const other = h.control.acquire();
    h.source.set('k', secret('door', 'two'));
    h.settle();
    h.source.set('p', undefined);
    h.settle();
    expect(lease?.snapshot.generation).toBe(1);
    expect(h.life.instances).toMatchObject([{ stops: 0 }, { stops: 1 }]);
    expect(lease?.plugin(TOKEN)).toBeDefined();
    lease?.release();
    lease?.release();
    expect(h.life.instances[0]?.stops).toBe(0);
    expect(lease?.plugin(TOKEN)).toBeUndefined();
    other?.release();
    expect(h.life.instances[0]?.stops).toBe(1);
  });

  it('F15 through tables that differ in Routes only an instance lives until the last lease of any of them ends', async () => {
    const h = harness();
    await guarded(h);
    const leases = [h.control.acquire()];
    for (const name of ['two', 'three']) {
      h.source.set(name, route(name, 'orders', 'door'));
      h.settle();
      leases.push(h.control.acquire());
    }
    h.source.set('p', undefined);
    h.settle();
    expect(leases.map((lease) => lease?.snapshot.generation)).toEqual([1, 2, 3]);
    for (const lease of leases) {
      expect(lease?.plugin(TOKEN)).toBeDefined();
      expect(h.life.instances).toMatchObject([{ stops: 0 }]);
      lease?.release();
    }
    expect(h.life.instances).toMatchObject([{ stops: 1 }]);
  });

  it('F15 nothing in a published snapshot can be changed', async () => {
    const h = harness();
    await guarded(h);
    const table: { exact?: object; wildcards?: Map<string, unknown> } = Object(h.control.current()?.table);
    expect(() => table.wildcards?.clear()).toThrow('immutable');
    expect(() => Object.assign(table.exact ?? {}, { size: 0 })).toThrow(TypeError);
    expect(table.exact).not.toHaveProperty('set');
    expect(ask(h)).toBe('Protected');
  });

  it('adds ProviderReady to plugins, and Ready follows it', async () => {
    const state = { status: 'False' as const, reason: 'DiscoveryFailed', message: 'no answer' };
    const tiny = tinyKind();
    const kind: PluginKind = { ...tiny, start: (c, w) => ({ ...tiny.start(c, w), status: () => state }) };
    const h = harness({ kinds: [kind] });
    await guarded(h);
    expect(condition(h, TOKEN, 'ProviderReady')).toEqual({ type: 'ProviderReady', ...state });
    expect(condition(h, TOKEN, 'Ready')).toEqual({ type: 'Ready', ...state });
    expect(condition(h, TOKEN, 'Accepted')).toMatchObject({ status: 'True' });
    expect(condition(h, TOKEN, 'Programmed')).toMatchObject({ status: 'True' });
    expect(condition(h, ROUTE, 'ProviderReady')).toBeUndefined();
    const types = h.control
      .verdicts()
      .get(TOKEN)
      ?.conditions.map(({ type }) => type);
    expect(types).toEqual(['Accepted', 'ResolvedRefs', 'ProviderReady', 'Programmed', 'Ready']);
    h.source.set('r', undefined);
    h.settle();
    expect(condition(h, TOKEN, 'ProviderReady')).toMatchObject({ status: 'Unknown', reason: 'NotUsed' });
  });

  it('F55 a plugin that throws when started, asked or stopped closes its Route, is logged, and is tried again', async () => {
    let broken = true;
    const tiny = tinyKind();
    const kind: PluginKind = {
      ...tiny,
      start(config, world) {
        if (broken) throw new Error('bug');
        return {
          ...tiny.start(config, world),
          status() {
            throw new Error('bug');
          },
          stop() {
            throw new Error('bug');
          },
        };
      },
    };
    const h = harness({ kinds: [kind] });
    await guarded(h);
    const lease = h.control.acquire();
    const context = { origin: 'http://a', needs: NOTHING, keeps: NOTHING, requestId: 'r' };
    const decision = await lease?.plugin(TOKEN)?.decide(REQUEST, context);
    expect(decision).toMatchObject({ kind: 'respond', status: 503 });
    expect(condition(h, TOKEN, 'ProviderReady')).toMatchObject({ status: 'False', reason: 'StartFailed' });
    broken = false;
    h.source.mark();
    h.settle();
    expect(h.control.instances().get(TOKEN)).toMatchObject({ status: 'Unknown', reason: 'StatusFailed' });
    lease?.release();
    await h.control.stop();
    expect(h.logged).toEqual(['plugin did not start; its routes are refused', 'plugin did not stop cleanly']);
  });

  it('F36 an instance is handed the running one whose place it takes, and none that is gone or broken', async () => {
    const started: (readonly [instance: PluginInstance | undefined, before: PluginInstance | undefined])[] = [];
    let broken = false;
    const tiny = tinyKind();
    const start: PluginKind['start'] = (config, world, before) => {
      const instance = broken ? undefined : tiny.start(config, world);
      started.push([instance, before]);
      if (instance === undefined) throw new Error('bug');
      return instance;
    };
    const h = harness({ kinds: [{ ...tiny, start }] });
    await guarded(h);
    const change = (value: string): void => {
      h.source.set('k', secret('door', value));
      h.settle();
    };
    change('two');
    h.source.set('p', undefined);
    h.settle();
    h.source.set('p', token('door'));
    h.settle();
    broken = true;
    change('three');
    broken = false;
    change('four');
    const [one, two, again] = started.map(([instance]) => instance);
    const turnOf = (before: PluginInstance | undefined) => before && [one, two, again].indexOf(before);
    expect(started.map(([, before]) => turnOf(before))).toEqual([undefined, 0, undefined, 2, undefined]);
  });

  it('F55 observers that throw change nothing', async () => {
    const h = harness({
      metrics: {
        reconciled() {
          throw new Error('bug');
        },
        published() {
          throw new Error('bug');
        },
      },
      onPublished() {
        throw new Error('bug');
      },
    });
    await guarded(h);
    expect(ask(h)).toBe('Protected');
    expect(new Set(h.logged)).toEqual(new Set(['an observer of the control loop failed, which is a bug']));
  });

  it('tells where objects are written down, of one that is there twice both places', async () => {
    const h = harness();
    const origin = (file: string) => ({ file, line: () => 1 });
    h.source.set('a', service('orders'), origin('a.yaml'));
    h.source.set('b', service('orders'), origin('b.yaml'));
    await h.control.start();
    const places = h.publications[0]?.origins.get(objectKey('Service', namespacedName('shop', 'orders')));
    expect(places?.map(({ file }) => file)).toEqual(['a.yaml', 'b.yaml']);
  });

  it('ends the source at once and its instances with their last lease', async () => {
    const h = harness();
    await guarded(h);
    const lease = h.control.acquire();
    h.source.set('k', secret('door', 'two'));
    await h.control.stop();
    h.settle();
    expect(h.source.stopped()).toBe(true);
    expect(h.control.acquire()).toBeUndefined();
    expect(h.life.instances).toMatchObject([{ stops: 0 }]);
    lease?.release();
    expect(h.life.instances).toMatchObject([{ stops: 1 }]);
  });
});

const REQUEST = request();
const NOTHING = { claims: [], groups: false, email: false };

function request(): RequestView {
  const parsed = parseTarget('GET', 'shop.example.com', '/orders');
  if (!parsed.ok) throw new Error(parsed.fault);
  const { method, host, path, query } = parsed.target;
  return { method, host, path, query, header: () => undefined };
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}
