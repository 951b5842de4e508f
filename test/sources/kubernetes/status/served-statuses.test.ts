import { describe, expect, it } from 'vitest';
import { own } from '../../../../src/resources/plain.ts';
import type { ApiResponse } from '../../../../src/sources/kubernetes/api.ts';
import { type Harness, harness, report, reports } from './harness.ts';

const answer = (status: number, body: unknown): Promise<ApiResponse> =>
  Promise.resolve({ status, body, retryAfter: undefined });

/** An API server whose Routes have these fields of status. */
function serve(h: Harness, fields: readonly string[]): { asked: number } {
  const count = { asked: 0 };
  const properties = Object.fromEntries(fields.map((field) => [field, {}]));
  const schema = {
    'x-kubernetes-group-version-kind': [{ group: 'postern.dev', version: 'v1alpha1', kind: 'Route' }],
    properties: { status: { type: 'object', properties } },
  };
  h.cluster.interfere = ({ path, body }) => {
    if (path.startsWith('/openapi/')) {
      count.asked += 1;
      return answer(200, { components: { schemas: { route: schema } } });
    }
    const unknown = Object.entries(Object(own(body, 'status'))).find(
      ([field, value]) => value !== undefined && !fields.includes(field),
    );
    if (unknown === undefined) return undefined;
    const message = `failed to create typed patch object (shop/a): .status.${unknown[0]}: field not declared in schema`;
    return answer(500, { message });
  };
  return count;
}

const keys = Array.from({ length: 200 }, (_, index) => `Route/shop/r${index}`);
const all = reports(...keys.map((key) => report(key, { hosts: ['a.example'] })));
const OLDER = ['conditions', 'exposure'];
const NEWER = [...OLDER, 'hosts'];

describe('statuses where the CustomResourceDefinitions are older', () => {
  it('F09 are written without what those do not know, said once; a restart writes nothing', async () => {
    const h = harness();
    for (const key of keys) h.cluster.put(key);
    const count = serve(h, OLDER);
    h.reporter.publish(all);
    await h.go(15_000);
    for (const key of keys) {
      expect(h.cluster.condition(key, 'Ready')).toMatchObject({ status: 'True' });
      expect(own(h.cluster.status(key), 'hosts')).toBeUndefined();
    }
    expect(h.results.filter((result) => result === 'refused').length).toBeLessThan(10);
    expect(h.said).toEqual([
      'the CustomResourceDefinition routes.postern.dev is older than this Postern: statuses are written without status.hosts; kubectl apply --server-side -f crds/ {}',
    ]);
    await h.go(600_000, 500);
    expect(h.cluster.writes).toHaveLength(200);
    expect(count.asked).toBeLessThan(13);
    await h.reporter.stop();

    const again = harness({ cluster: h.cluster, time: h.time });
    again.reporter.publish(all);
    await again.go(30_000);
    expect(h.cluster.writes).toHaveLength(200);
    expect(again.results.length).toBeLessThan(10);
    await again.reporter.stop();
    expect(h.time.pending()).toBe(0);
  });

  it('F09 are written whole soon after the definitions are', async () => {
    const h = harness();
    for (const key of keys) h.cluster.put(key);
    serve(h, OLDER);
    h.reporter.publish(all);
    await h.go(15_000);
    const count = serve(h, NEWER);
    await h.go(90_000);
    for (const key of keys) expect(h.cluster.status(key)).toMatchObject({ hosts: ['a.example'] });
    expect(h.cluster.writes).toHaveLength(400);
    const { asked } = count;
    await h.go(600_000, 500);
    expect(count.asked - asked).toBeLessThan(3);
  });

  it('F09 that are refused for another reason are said, and wait for a change', async () => {
    const h = harness();
    for (const key of keys) h.cluster.put(key);
    serve(h, NEWER);
    const { interfere } = h.cluster;
    h.cluster.interfere = (request) =>
      request.path.endsWith('/r7/status') ? answer(422, { message: 'spec: Invalid' }) : interfere(request);
    h.reporter.publish(all);
    await h.go(60_000);
    // Once more than it was, for what the API server knows may have been the reason.
    expect(h.results.filter((result) => result === 'refused')).toHaveLength(2);
    expect(h.said).toHaveLength(1);
    expect(h.said[0]).toMatch(
      /are the CustomResourceDefinitions those of this version.*Route.shop.r7.*422 spec: Invalid/,
    );
    expect(h.cluster.writes).toHaveLength(199);
  });

  it('F09 that are refused though the API server says that it knows everything are tried again, ever more rarely', async () => {
    const h = harness();
    h.cluster.put('Route/shop/r0');
    serve(h, NEWER);
    const { interfere } = h.cluster;
    h.cluster.interfere = (request) =>
      request.path.endsWith('/status') ? answer(422, { message: 'not yet' }) : interfere(request);
    h.reporter.publish(reports(report('Route/shop/r0', { hosts: ['a.example'] })));
    await h.go(3_600_000, 1000);
    expect(h.results.length).toBeGreaterThan(5);
    expect(h.results.length).toBeLessThan(20);
    // A change is told at once.
    h.cluster.interfere = interfere;
    h.reporter.publish(reports(report('Route/shop/r0', { hosts: ['b.example'] })));
    await h.go(1000);
    expect(h.cluster.status('Route/shop/r0')).toMatchObject({ hosts: ['b.example'] });
  });

  it('F09 where the API server does not say what it knows are refused as before', async () => {
    const h = harness();
    for (const key of keys) h.cluster.put(key);
    serve(h, OLDER);
    const { interfere } = h.cluster;
    h.cluster.interfere = (request) => (request.path.startsWith('/openapi/') ? answer(403, {}) : interfere(request));
    h.reporter.publish(all);
    await h.go(60_000);
    expect(h.results.filter((result) => result === 'refused')).toHaveLength(200);
    expect(h.said.length).toBeLessThan(3);
    expect(h.cluster.writes).toEqual([]);
  });
});
