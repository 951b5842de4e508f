import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { route, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, type Operator, startOperator } from './operator.ts';
import { becomes } from './rows.ts';

/** No EndpointSlice may name loopback or link-local, so the Pods of these tests are on another address of this machine. */
const ownAddress = (of: 'IPv4' | 'IPv6'): string | undefined =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal, address }) => family === of && !internal && !/^(169\.254|fe[89ab])/.test(address))
    ?.address;
const OWN = ownAddress('IPv4');
const OWN6 = ownAddress('IPv6');
const why6 =
  OWN6 === undefined ? '[skipped: needs a network interface with an IPv6 address that is not link-local]' : '';
const why = apiserver.why + (OWN === undefined ? '[skipped: needs a network interface besides loopback]' : '');
const ROUNDS = 5;

interface Pod {
  readonly server: Server;
  readonly port: number;
}

/** What a Service follows through its EndpointSlices. */
describe.skipIf(apiserver.missing || OWN === undefined)(`endpoints of a cluster ${why}`, { timeout: 90_000 }, () => {
  let server: ApiServer;
  let operator: Operator;
  const pods: Pod[] = [];

  const pod = async (name: string, on = OWN): Promise<Pod> => {
    const web = createServer((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      request.on('end', () => response.end(bytes === 0 ? name : `${name} got ${bytes}`));
    }).listen(0, on);
    await once(web, 'listening');
    const address = web.address();
    const one = { server: web, port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
    pods.push(one);
    return one;
  };
  const core = (name: string, port: number, portName = 'http'): unknown => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { clusterIP: 'None', ports: [{ name: portName, port }] },
  });
  const psvc = (name: string): unknown => ({
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { backendRef: { name, port: 80 } },
  });
  const slice = (name: string, port: number | undefined, ready = true, portName = 'http'): unknown => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: port === undefined ? [] : [{ name: portName, port, protocol: 'TCP' }],
    endpoints: port === undefined ? [] : [{ addresses: [OWN], conditions: { ready } }],
  });
  const ask = async (path: string): Promise<string> => {
    const { status, body } = await new Visitor().ask(operator.site + path);
    return status === 200 ? `200 ${body}` : String(status);
  };
  const becomesAnswer = async (path: string, expected: string): Promise<void> =>
    await until(
      async () => (await ask(path)) === expected,
      `${path} to answer ${expected}`,
      () => operator.log(),
    );
  /** Milliseconds from the API server's answer to the first such answer; each round does and undoes, the fastest counts. */
  const fastest = async (path: string, back: readonly [() => Promise<void>, string], away: () => Promise<void>) => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round += 1) {
      await away();
      await becomesAnswer(path, '503');
      await back[0]();
      const start = performance.now();
      await becomesAnswer(path, back[1]);
      least = Math.min(least, performance.now() - start);
    }
    return least;
  };
  const apply = async (...objects: readonly unknown[]): Promise<void> => await server.apply(yaml(...objects));
  const remove = async (resource: string, name: string): Promise<void> => {
    const { code, stderr } = await server.kubectl(['delete', resource, name, '-n', 'shop']);
    expect([code, stderr]).toEqual([0, '']);
  };

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop');
    await installCrds(server);
    for (const name of ['web', 'other']) {
      const { port } = await pod(name);
      await apply(core(name, 80), slice(name, port), psvc(name), route(name, { service: name }));
    }
    operator = await startOperator({ kubeconfig: server.kubeconfig });
    await operator.ready();
    await becomesAnswer('/web', '200 web');
    await becomesAnswer('/other', '200 other');
  }, 120_000);
  afterAll(async () => {
    await operator?.stop();
    for (const { server: web } of pods) {
      web.closeAllConnections();
      web.close();
    }
    await server?.stop();
  });

  it('F43 without endpoints it is 503 at once, and served again within a second of their return', async () => {
    const port = pods[0]?.port;
    const took = await fastest('/web', [() => apply(slice('web', port)), '200 web'], () =>
      apply(slice('web', undefined)),
    );
    expect(took).toBeLessThan(1000);
    const slept = await fastest('/web', [() => apply(slice('web', port)), '200 web'], () =>
      apply(slice('web', port, false)),
    );
    expect(slept).toBeLessThan(1000);
    const deleted = await fastest('/web', [() => apply(slice('web', port)), '200 web'], () =>
      remove('endpointslice', 'web-1'),
    );
    expect(deleted).toBeLessThan(1000);
    expect(await ask('/other')).toBe('200 other');
  });

  it('F43 a Service that is deleted, or renames or renumbers its port, is served again within a second', async () => {
    const psvc = ['services', 'shop', 'web'] as const;
    const back = [() => apply(core('web', 80)), '200 web'] as const;
    expect(await fastest('/web', back, () => remove('service', 'web'))).toBeLessThan(1000);
    const renumbered = async (): Promise<void> => {
      await apply(core('web', 81));
      await becomes(server, psvc, 'ResolvedRefs', 'False/BackendPortNotFound', operator);
    };
    expect(await fastest('/web', back, renumbered)).toBeLessThan(1000);
    // Slices go by the port's name, and come later than the Service.
    expect(await fastest('/web', back, () => apply(core('web', 80, 'renamed')))).toBeLessThan(1000);
    await becomes(server, psvc, 'ResolvedRefs', 'True/ResolvedRefs', operator);
    expect(await ask('/other')).toBe('200 other');
  });

  it('F43 Pods that follow each other are served without a new table', async () => {
    const second = await pod('second');
    const generation = await tableGeneration();
    for (const { port } of [second, pods[0] ?? second, second]) {
      await apply(slice('web', port));
      await becomesAnswer('/web', `200 ${port === second.port ? 'second' : 'web'}`);
    }
    expect(await tableGeneration()).toBe(generation);
  });

  it.skipIf(OWN6 === undefined)(
    `IPv6 endpoints carry requests: alone, beside IPv4 ones of the same Service, and when these go ${why6}`,
    async () => {
      const six = await pod('six', OWN6);
      const four = await pod('four');
      const slice6 = (port: number | undefined, ready = true): unknown => ({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'dual-6', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'dual' } },
        addressType: 'IPv6',
        ports: [{ name: 'http', port, protocol: 'TCP' }],
        endpoints: [{ addresses: [OWN6], conditions: { ready } }],
      });
      await apply(core('dual', 80), slice6(six.port), psvc('dual'), route('dual', { service: 'dual' }));
      await becomesAnswer('/dual', '200 six');
      const sent = await new Visitor().ask(`${operator.site}/dual`, { method: 'POST', body: 'x'.repeat(100_000) });
      expect([sent.status, sent.body]).toEqual([200, 'six got 100000']);

      await apply(slice('dual', four.port));
      const seen = new Set<string>();
      await until(
        async () => {
          seen.add(await ask('/dual'));
          return seen.size === 2;
        },
        'both to be asked',
        () => `${[...seen].join()}\n${operator.log()}`,
      );
      expect([...seen].toSorted()).toEqual(['200 four', '200 six']);
      await apply(slice6(six.port, false));
      await until(async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => ask('/dual')));
        return answers.every((answer) => answer === '200 four');
      }, 'only the other to be asked');
      await apply(slice6(six.port));
      await remove('endpointslice', 'dual-1');
      await until(async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => ask('/dual')));
        return answers.every((answer) => answer === '200 six');
      }, 'only the first to be asked');
    },
  );

  const tableGeneration = async (): Promise<string | undefined> =>
    /^postern_routing_table_generation (\d+)$/m.exec(await (await fetch(`${operator.adminUrl}/metrics`)).text())?.[1];
});
