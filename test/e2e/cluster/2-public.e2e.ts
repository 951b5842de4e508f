import { beforeAll, describe, expect, inject, it } from 'vitest';
import { ask, trust } from './support/ask.ts';
import { apply, jsonPath, kubectl } from './support/kubernetes.ts';
import { route, service } from './support/objects.ts';
import { agreed, waitFor } from './support/postern.ts';
import { HOSTS, NAMESPACES, PORTS, SHOP } from './support/site.ts';
import { until } from './support/until.ts';

const { shop } = NAMESPACES;

describe('2. a workload that is open', () => {
  beforeAll(async () => {
    trust(inject('ca'));
    await apply(service(), route({ name: 'open', path: '/', access: 'Public' }));
  });

  it('is Ready, and kubectl get proute says that it is Public', async () => {
    await waitFor('psvc', 'orders', 'Ready');
    await waitFor('proute', 'open', 'Ready');
    expect(await jsonPath('{.status.exposure}', 'proute', 'open', '-n', shop)).toBe('Public');
    const table = await kubectl('get', 'proute', '-n', shop);
    expect(table).toMatch(/EXPOSURE/);
    expect(table).toMatch(/open .*Public/);
    await agreed();
  });

  it('is reached over HTTPS, with the certificate of its Secret, without any login', async () => {
    const answer = await until('an answer', async () => {
      const got = await ask(`${SHOP}/orders?a=1`);
      return got.status === 200 && got;
    });
    expect(JSON.parse(answer.body)).toMatchObject({ path: '/orders', query: [['a', '1']], identity: {} });
  });

  it('is answered by both Pods of the workload', async () => {
    const pods = new Set<string>();
    await until('two Pods', async () => {
      pods.add(JSON.parse((await ask(SHOP)).body).pod);
      return pods.size === 2;
    });
  });

  it('sends plain http to https, with path and query', async () => {
    const answer = await ask(`http://${HOSTS.shop}:${PORTS.http}/orders?a=1`);
    expect([301, 308]).toContain(answer.status);
    expect(answer.headers.location).toBe(`${SHOP}/orders?a=1`);
  });

  it('knows no other host', async () => {
    const answer = await ask(`${SHOP}/`, { headers: { host: 'other.example.test' } });
    expect([404, 421]).toContain(answer.status);
  });
});
