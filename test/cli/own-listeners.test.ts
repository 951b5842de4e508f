import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { isOwnListener } from '../../src/cli/own-listeners.ts';
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

describe('what plugins may call', () => {
  const own = isOwnListener([{ host: '0.0.0.0', port: 9090 }, { host: '127.0.0.1', port: 9091 }, undefined], () => [
    '10.244.0.7',
    'fd00::7',
  ]);

  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '0.0.0.0',
    '::',
    '10.244.0.7',
    '::ffff:10.244.0.7',
    'fd00:0::7',
    'no address',
  ])('A174 is no listener of this process at %s', (address) => {
    expect([own(address, 9090), own(address, 9091)]).toEqual([true, true]);
    expect(own(address, 443)).toBe(false);
  });

  it('is what others serve at the same port', () => {
    expect([own('10.244.0.8', 9090), own('93.184.216.34', 9091)]).toEqual([false, false]);
  });

  it('A174 knows the addresses of this machine', () => {
    const mine = isOwnListener([{ host: '0.0.0.0', port: 9090 }]);
    for (const addresses of Object.values(networkInterfaces()))
      for (const { address } of addresses ?? []) expect(mine(address, 9090)).toBe(true);
  });
});
