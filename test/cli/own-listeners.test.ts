import { afterEach, describe, expect, it } from 'vitest';
import { freePort, type Gateway, startGateway } from '../support/gateway.ts';

let gateway: Gateway | undefined;
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

const objects = (name: string, url: string): string => `apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: ${name}}
spec: {url: "${url}"}
---
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: ${name}}
spec:
  hosts: ['*']
  paths: [{type: Prefix, value: /${name}}]
  serviceRef: {name: ${name}}
  access: Public
`;

describe('listeners of this process', () => {
  it('A174 are nobody’s upstream, under whatever name', async () => {
    const [port, adminPort, debugPort] = [await freePort(), await freePort(), await freePort()];
    gateway = await startGateway({
      port,
      adminPort,
      debugPort,
      objects: {
        'debug.yaml': objects('debug', `http://127.0.0.1:${debugPort}`),
        'debug2.yaml': objects('debug2', `http://0.0.0.0:${debugPort}`),
        'debug3.yaml': objects('debug3', `http://localhost:${debugPort}`),
        'admin.yaml': objects('metrics', `http://127.0.0.1:${adminPort}`),
        // A request that comes back would go round for ever.
        'self.yaml': objects('self', `http://127.0.0.1:${port}`),
      },
    });
    const { url } = gateway;
    for (const path of ['/debug/snapshot', '/debug2/snapshot', '/debug3/snapshot', '/metrics', '/self']) {
      expect((await fetch(url + path)).status, path).toBe(502);
    }
    expect(await (await fetch(`${gateway.adminUrl}/metrics`)).text()).toMatch(/address_not_allowed/);
  });
});
