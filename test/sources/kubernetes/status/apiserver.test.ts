import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { timers } from '../../../../src/cli/timers.ts';
import { withProviderReady } from '../../../../src/control/status.ts';
import { isPlain, own } from '../../../../src/resources/plain.ts';
import type { ApiRequest, KubernetesApi } from '../../../../src/sources/kubernetes/api.ts';
import { openApi } from '../../../../src/sources/kubernetes/client.ts';
import { type StoredObject, storedOf } from '../../../../src/sources/kubernetes/objects.ts';
import { servedSchema } from '../../../../src/sources/kubernetes/openapi.ts';
import type { InstanceReport, ObjectReport } from '../../../../src/sources/kubernetes/status/report.ts';
import { createReporter } from '../../../../src/sources/kubernetes/status/reporter.ts';
import type { WriteResult } from '../../../../src/sources/kubernetes/status/write-result.ts';
import { type ApiServer, startApiServer } from '../../../support/apiserver.ts';
import { apiserver } from '../../../support/parts.ts';
import {
  DOWN,
  HEALTHY,
  KINDS,
  report,
  reports,
  STARTING,
  toldWhole,
  UNRESOLVED,
  UP,
  type WholeReporter,
} from './harness.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const SPECS: Readonly<Record<string, unknown>> = {
  Service: { url: 'http://orders.example' },
  Route: {
    hosts: ['shop.example'],
    paths: [{ type: 'Prefix', value: '/' }],
    serviceRef: { name: 'orders' },
    access: 'Public',
  },
  OidcPlugin: { issuer: 'https://id.example', clientID: 'a', clientSecretRef: { name: 'okta-client' } },
};
const pluralOf = (kind: string): string => KINDS.find((one) => one.kind === kind)?.plural ?? '';
const opens = {
  type: 'OpensProtectedPath',
  status: 'True',
  reason: 'OpensProtectedPath',
  message: 'It does.',
} as const;

const until = async (what: () => boolean | Promise<boolean>, context: () => unknown = () => ''): Promise<void> => {
  const end = Date.now() + 20_000;
  while (!(await what())) {
    if (Date.now() > end) throw new Error(`not in time: ${what.toString()} ${JSON.stringify(context())}`);
    await sleep(30);
  }
};

interface Replica {
  readonly reporter: WholeReporter;
  readonly instances: Map<string, InstanceReport>;
  readonly calls: ApiRequest[];
  readonly results: WriteResult[];
  readonly said: string[];
  /** Reads what is stored, as a watch would tell it. */
  refresh(): Promise<void>;
  publish(...all: readonly ObjectReport[]): Promise<void>;
}

describe.skipIf(apiserver.missing)(`statuses on a real API server ${apiserver.why}`, () => {
  let server: ApiServer;
  const running: { readonly reporter: WholeReporter; readonly api: KubernetesApi }[] = [];
  beforeAll(async () => {
    server = await startApiServer();
    for (const name of readdirSync(join(ROOT, 'crds')))
      await server.apply(readFileSync(join(ROOT, 'crds', name), 'utf8'));
    await server.kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
    await server.apply('{apiVersion: v1, kind: Namespace, metadata: {name: shop}}');
  }, 120_000);
  afterEach(async () => {
    for (const { reporter, api } of running.splice(0)) {
      await reporter.stop();
      await api.close();
    }
  });
  afterAll(async () => {
    await server?.stop();
  });

  async function make(kind: string, name: string, spec: unknown = SPECS[kind]): Promise<string> {
    const metadata = { name, namespace: 'shop' };
    await server.apply(JSON.stringify({ apiVersion: 'postern.dev/v1alpha1', kind, metadata, spec }));
    return `${kind}/shop/${name}`;
  }

  const path = (key: string): string => {
    const [kind = '', namespace, name] = key.split('/');
    return `/apis/postern.dev/v1alpha1/namespaces/${namespace}/${pluralOf(kind)}/${name}`;
  };
  const get = async (key: string): Promise<unknown> => (await server.call('GET', path(key))).body;
  async function conditions(key: string): Promise<Readonly<Record<string, unknown>>> {
    const list = own(own(await get(key), 'status'), 'conditions');
    const all = Array.isArray(list) ? list : [];
    return Object.fromEntries(all.map((one: unknown) => [String(own(one, 'type')), one]));
  }

  async function replica(more: { kubeconfig?: string; class?: string } = {}): Promise<Replica> {
    const opened = await openApi({ kubeconfig: more.kubeconfig ?? server.kubeconfig });
    if (!opened.ok) throw new Error(opened.message);
    const { api } = opened;
    const calls: ApiRequest[] = [];
    const stored = new Map<string, StoredObject>();
    const instances = new Map<string, InstanceReport>();
    const results: WriteResult[] = [];
    const said: string[] = [];
    const say = (fields: Readonly<Record<string, unknown>>, message: string) =>
      void said.push(`${message} ${JSON.stringify(fields)}`);
    const reporter = toldWhole(
      createReporter({
        api: {
          ...api,
          call(request) {
            calls.push(request);
            return api.call(request);
          },
        },
        kinds: KINDS,
        class: more.class ?? 'postern',
        instance: 'postern-0',
        leading: () => true,
        lookup: (key) => stored.get(key),
        instances: () => instances,
        join: withProviderReady,
        now: () => performance.now(),
        wallNow: () => Date.now(),
        random: Math.random,
        timers,
        log: { info: say, warn: say, error: say },
        metrics: { statusWritten: (result) => results.push(result), eventSent() {} },
      }),
    );
    reporter.start();
    running.push({ reporter, api });
    const refresh = async () => {
      stored.clear();
      for (const { kind, plural } of KINDS) {
        let items: unknown;
        // After another definition a list is refused (429) until its cache is there again.
        await until(async () => {
          const { status, body } = await server.call('GET', `/apis/postern.dev/v1alpha1/${plural}`);
          items = own(body, 'items');
          return status === 200;
        });
        for (const item of Array.isArray(items) ? items : []) {
          const metadata = own(item, 'metadata');
          const key = `${kind}/${String(own(metadata, 'namespace'))}/${String(own(metadata, 'name'))}`;
          if (isPlain(item)) stored.set(key, storedOf(item));
        }
      }
    };
    return {
      reporter,
      instances,
      calls,
      results,
      said,
      refresh,
      async publish(...all) {
        await refresh();
        reporter.publish(reports(...all));
      },
    };
  }

  it.each(KINDS)(
    'F18 kubectl wait --for=condition=Ready works on a $kind, and waits for its newest generation',
    async ({ kind, plural }) => {
      const key = await make(kind, 'waited');
      const one = await replica();
      if (kind === 'OidcPlugin') one.instances.set(key, UP);
      await one.publish(report(key));
      const wait = (seconds: number) =>
        server.kubectl([
          'wait',
          '--for=condition=Ready',
          `--timeout=${seconds}s`,
          '-n',
          'shop',
          `${plural}.postern.dev/waited`,
        ]);
      expect(await wait(20)).toMatchObject({ code: 0, stdout: expect.stringContaining('condition met') });
      const before = await conditions(key);
      await make(kind, 'waited', {
        ...Object(SPECS[kind]),
        ...(kind === 'Service' ? { url: 'http://b.example' } : {}),
        ...(kind === 'Route' ? { hosts: ['b.example'] } : {}),
        ...(kind === 'OidcPlugin' ? { clientID: 'b' } : {}),
      });
      expect(await wait(1)).toMatchObject({ code: 1 });
      await sleep(1100);
      await one.publish(report(key, { observedGeneration: 2 }));
      expect(await wait(20)).toMatchObject({ code: 0 });
      const after = await conditions(key);
      expect(after['Ready']).toEqual({ ...Object(before['Ready']), observedGeneration: 2 });
      // What turned has another time, what didn't has not.
      await one.publish(report(key, { observedGeneration: 2, conditions: UNRESOLVED }));
      await until(async () => own((await conditions(key))['Ready'], 'status') === 'False');
      const turned = await conditions(key);
      expect(turned['Accepted']).toEqual(after['Accepted']);
      expect(own(turned['Ready'], 'lastTransitionTime')).not.toBe(own(after['Ready'], 'lastTransitionTime'));
      await one.publish(report(key, { observedGeneration: 2 }));
      await until(async () => own((await conditions(key))['Ready'], 'status') === 'True');
    },
  );

  it('removes a condition that is over, and leaves one that somebody else wrote', async () => {
    const key = await make('Route', 'unusual');
    const theirs = { ...HEALTHY[0], type: 'example.com/Audited', lastTransitionTime: '2026-01-01T00:00:00Z' };
    const body = {
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'Route',
      metadata: { name: 'unusual' },
      status: { conditions: [theirs] },
    };
    const applied = await server.call(
      'PATCH',
      `${path(key)}/status?fieldManager=auditor`,
      body,
      'application/apply-patch+yaml',
    );
    expect(applied.status).toBe(200);
    const one = await replica();
    await one.publish(report(key, { conditions: [...HEALTHY, opens], redirectURIs: ['https://a.example/cb'] }));
    await until(async () => Object.hasOwn(await conditions(key), 'OpensProtectedPath'));
    await one.publish(report(key));
    await until(async () => !Object.hasOwn(await conditions(key), 'OpensProtectedPath'));
    expect(Object.keys(await conditions(key)).sort()).toEqual([
      'Accepted',
      'Programmed',
      'Ready',
      'ResolvedRefs',
      'example.com/Audited',
    ]);
    expect(own(await get(key), 'status')).not.toHaveProperty('redirectURIs');
    await one.refresh();
    one.reporter.lead(true);
    await sleep(500);
    expect(one.calls).toHaveLength(2);
  });

  it('writes nothing after a restart with nothing changed', async () => {
    const routes = await Promise.all([1, 2, 3].map((index) => make('Route', `same-${index}`)));
    const plugin = await make('OidcPlugin', 'same');
    const checks = [{ name: 'Discovery', result: 'Passed', message: 'It answers.' }];
    const said = [...routes.map((key) => report(key)), report(plugin)];
    const one = await replica();
    one.instances.set(plugin, { ...UP, checks });
    await one.publish(...said);
    await until(() => one.results.length === 4);
    expect(own(await get(plugin), 'status')).toMatchObject({ routes: 1, checks });
    const again = await replica();
    again.instances.set(plugin, STARTING);
    await again.publish(...said);
    again.reporter.lead(true);
    await sleep(700);
    again.instances.set(plugin, { ...UP, checks });
    await sleep(700);
    expect(again.calls).toEqual([]);
  });

  it('F17 a conflict is tried again with what is there now; an object that is gone is dropped', async () => {
    const key = await make('Route', 'conflicting');
    const gone = await make('Route', 'gone');
    const one = await replica();
    await one.refresh();
    await make('Route', 'conflicting', { ...Object(SPECS['Route']), hosts: ['c.example'] });
    await server.kubectl(['delete', 'proute', '-n', 'shop', 'gone']);
    one.reporter.publish(reports(report(key), report(gone)));
    await until(() => one.results.includes('conflict') && one.results.includes('gone'));
    expect(await conditions(key)).toEqual({});
    await one.publish(report(key, { observedGeneration: 2 }));
    await until(() => one.results.includes('written'));
    expect((await conditions(key))['Ready']).toMatchObject({ status: 'True', observedGeneration: 2 });
    expect(one.results.filter((result) => result === 'gone')).toHaveLength(1);
  });

  it('F17 an object that was made anew gets nothing that was said of the one before', async () => {
    const key = await make('Route', 'renewed');
    const one = await replica();
    await one.refresh();
    await server.kubectl(['delete', 'proute', '-n', 'shop', 'renewed']);
    await make('Route', 'renewed');
    one.reporter.publish(reports(report(key, { exposure: 'Denied' })));
    await until(() => one.results.length > 0);
    expect(one.results[0]).toBe('conflict');
    expect(await get(key)).not.toHaveProperty('status');
  });

  it('F17 who may not write says so once, and knocks no more for a while', async () => {
    const key = await make('Route', 'forbidden');
    await server.apply('{apiVersion: v1, kind: ServiceAccount, metadata: {name: reporter, namespace: shop}}');
    const asked = await server.call('POST', '/api/v1/namespaces/shop/serviceaccounts/reporter/token', { spec: {} });
    const token = own(own(asked.body, 'status'), 'token');
    const kubeconfig = join(tmpdir(), `postern-reporter-${process.pid}.json`);
    writeFileSync(kubeconfig, readFileSync(server.kubeconfig, 'utf8').replace(server.token, String(token)), {
      mode: 0o600,
    });
    const one = await replica({ kubeconfig }).finally(() => rmSync(kubeconfig));
    await one.publish(report(key, { conditions: UNRESOLVED }));
    await until(() => one.results.length > 0);
    await sleep(500);
    expect(one.results).toEqual(['forbidden']);
    expect(one.said.join()).toMatch(/may not be written.*403 routes.postern.dev \\"forbidden\\" is forbidden/);
  });

  it('F09 of a status that an older CRD does not know whole, what it knows is written, and the rest is said', async () => {
    const definition = readFileSync(join(ROOT, 'crds', 'routes.postern.dev.yaml'), 'utf8');
    const older: unknown = parse(definition);
    const versions = own(own(older, 'spec'), 'versions');
    const openAPI = own(own(Array.isArray(versions) ? versions[0] : undefined, 'schema'), 'openAPIV3Schema');
    const status = own(own(own(openAPI, 'properties'), 'status'), 'properties');
    if (!isPlain(status)) throw new Error('a Route has no status');
    Object.assign(status, { hosts: undefined, exposure: { type: 'string', enum: ['Public', 'Protected'] } });
    const keys = await Promise.all(['newer', 'denied'].map((name) => make('Route', name)));
    // Another definition counts at once in what the API server says, and a moment later in what it does.
    const known = async (what: 'older' | 'newer') => {
      const metadata = { name: 'newer', namespace: 'shop' };
      const body = { apiVersion: 'postern.dev/v1alpha1', kind: 'Route', metadata, status: { hosts: ['a.example'] } };
      const probe = `${path(keys[0] ?? '')}/status?dryRun=All&fieldManager=probe`;
      await until(async () => {
        const openAPI = await server.call('GET', '/openapi/v3/apis/postern.dev/v1alpha1');
        // While it is made anew it may not be there at all, which says nothing.
        const served = own(servedSchema(openAPI.body, 'Route', 'status'), 'properties');
        const { status } = await server.call('PATCH', probe, body, 'application/apply-patch+yaml');
        if (openAPI.status !== 200 || !isPlain(served)) return false;
        return what === 'newer' ? 'hosts' in served && status === 200 : !('hosts' in served) && status === 500;
      });
    };
    const newest = async () => {
      await server.apply(definition);
      await known('newer');
    };
    const said = keys.map((key, index) =>
      report(key, { hosts: ['shop.example'], ...(index === 1 ? { exposure: 'Denied', conditions: UNRESOLVED } : {}) }),
    );
    try {
      await server.apply(JSON.stringify(older));
      await known('older');
      const one = await replica();
      await one.publish(...said);
      await until(
        () => one.results.filter((result) => result === 'written').length === 2,
        () => [one.results, one.said, one.calls],
      );
      expect(one.results.filter((result) => result === 'refused').length).toBeLessThanOrEqual(2);
      expect(own(await get(keys[0] ?? ''), 'status')).toMatchObject({ exposure: 'Public' });
      expect(own(await get(keys[1] ?? ''), 'status')).not.toHaveProperty('exposure');
      expect((await conditions(keys[1] ?? ''))['Ready']).toMatchObject({ status: 'False', reason: 'PluginNotFound' });
      // In one line or in two, whichever of both was written first; nothing twice.
      const line =
        /^the CustomResourceDefinition routes\.postern\.dev is older .* written without ([^;]+);.* -f crds\//;
      const without = one.said.flatMap((each) => line.exec(each)?.[1]?.split(', ') ?? []);
      expect([without.toSorted(), one.said.join('\n')]).toEqual([
        ['status.exposure', 'status.hosts'],
        expect.anything(),
      ]);
      await one.reporter.stop();

      const again = await replica();
      await again.publish(...said);
      await until(() => again.said.length > 0);
      await sleep(500);
      expect(again.results).not.toContain('written');
      await again.reporter.stop();
    } finally {
      await newest();
    }
    const newer = await replica();
    await newer.publish(...said);
    // A server that turns to another definition may still have taken one whole, and then there is nothing to write of it.
    const whole = async (key: string, exposure: string): Promise<boolean> => {
      const now = own(await get(key), 'status');
      return own(now, 'exposure') === exposure && JSON.stringify(own(now, 'hosts')) === '["shop.example"]';
    };
    await until(
      async () => (await whole(keys[0] ?? '', 'Public')) && (await whole(keys[1] ?? '', 'Denied')),
      () => [newer.results, newer.said, newer.calls],
    );
    expect([new Set(newer.results), newer.said]).toEqual([new Set(['written']), []]);
  });

  it('tells of an invalid Route within seconds, in the middle of 2,000 first statuses', {
    timeout: 120_000,
  }, async () => {
    await server.apply('{apiVersion: v1, kind: Namespace, metadata: {name: crowd}}');
    const routes = '/apis/postern.dev/v1alpha1/namespaces/crowd/routes';
    const object = (name: string) => ({
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'Route',
      metadata: { name, namespace: 'crowd' },
      spec: SPECS['Route'],
    });
    const names = Array.from({ length: 2000 }, (_, index) => `r${index}`);
    try {
      for (let from = 0; from < names.length; from += 50)
        await Promise.all(names.slice(from, from + 50).map((name) => server.call('POST', routes, object(name))));
      const one = await replica();
      const all = names.map((name) => report(`Route/crowd/${name}`));
      await one.publish(...all);
      await until(() => one.results.length >= 20);
      expect((await server.call('POST', routes, object('wrong'))).status).toBe(201);
      const soFar = one.results.length;
      await one.publish(...all, report('Route/crowd/wrong', { conditions: UNRESOLVED }));
      await until(async () => own((await conditions('Route/crowd/wrong'))['Ready'], 'status') === 'False');
      // At 20 a second the others take 100 s; how long these here took says how busy the machine is, too.
      expect(one.results.length - soFar).toBeLessThan(400);
      await one.reporter.stop();
    } finally {
      // Nobody here empties a namespace that goes.
      await server.call('DELETE', routes);
    }
  });

  it('gives its fields up to the installation of the class that an object goes to', async () => {
    const key = await make('Route', 'moving');
    const one = await replica();
    await one.publish(report(key, { conditions: [...HEALTHY, opens] }));
    await until(() => one.results.length === 1);
    await make('Route', 'moving', { ...Object(SPECS['Route']), class: 'blue' });
    const blue = await replica({ class: 'blue' });
    await blue.publish(report(key, { observedGeneration: 2, exposure: 'Denied' }));
    await until(() => blue.results.length === 1);
    await one.publish();
    await until(() => one.results.length === 2);
    const object = await get(key);
    expect(own(object, 'status')).toMatchObject({ exposure: 'Denied' });
    expect(Object.keys(await conditions(key)).sort()).toEqual(['Accepted', 'Programmed', 'Ready', 'ResolvedRefs']);
    const managers = own(own(object, 'metadata'), 'managedFields');
    const ofStatus = (Array.isArray(managers) ? managers : []).filter((one) => own(one, 'subresource') === 'status');
    expect(ofStatus.map((one: unknown) => own(one, 'manager'))).toEqual(['postern-blue']);
  });

  it('shows what happened in kubectl describe', async () => {
    const key = await make('OidcPlugin', 'told');
    const one = await replica();
    one.instances.set(key, DOWN);
    await one.publish(report(key));
    await until(async () => own((await conditions(key))['Ready'], 'status') === 'False');
    one.instances.set(key, UP);
    await until(async () => own((await conditions(key))['Ready'], 'status') === 'True');
    await until(() => one.calls.filter(({ path: of }) => of.endsWith('/events')).length === 2);
    // Again within ten minutes: the same Event counts.
    await one.publish(report(key, { routes: 2, conditions: UNRESOLVED }));
    await one.refresh();
    await until(() => one.results.length === 3);
    await one.publish(report(key, { routes: 2 }));
    await until(() => one.results.length === 4);
    await one.publish(report(key, { routes: 2, conditions: UNRESOLVED }));
    await until(() => one.calls.filter(({ path: of }) => /\/events\//.test(of)).length === 1);
    let described = '';
    await until(async () => {
      described = (await server.kubectl(['describe', 'oidc', '-n', 'shop', 'told'])).stdout;
      return /\(x2 over/.test(described);
    });
    expect(described).toMatch(/Warning +DiscoveryFailed +\S+ +postern.dev\/postern +the provider is not reached\./);
    expect(described).toMatch(/Normal +ProviderReady +\S+ +postern.dev\/postern +ProviderReady is True again/);
    expect(described).toMatch(/Warning +PluginNotFound +.*\(x2 over \d+s\) +postern.dev\/postern/);
  });
});
