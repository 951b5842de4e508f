import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { checkHead } from '../../src/proxy/gate.ts';
import { headerClassifier } from '../../src/proxy/header-class.ts';
import { DEFAULT_LIMITS } from '../../src/proxy/limits.ts';
import { identityHeaders } from '../../src/resources/identity-headers.ts';
import { freePort, startGateway } from '../support/gateway.ts';

const classify = headerClassifier(identityHeaders([]));
const statusOf = (...lines: readonly string[]): number => {
  const headers = ['Host', 'app.example', ...lines.flatMap((line) => ['cdn-loop', line])];
  const head = { method: 'GET', target: '/', version: '1.1', headers, valuesChecked: false };
  const result = checkHead(head, classify, DEFAULT_LIMITS);
  return result.ok ? 200 : result.fault.status;
};

describe('a request that comes back (RFC 8586)', () => {
  it('is refused after three times, on one line or on several', () => {
    expect(statusOf('postern, edge.example, postern')).toBe(200);
    expect(statusOf('postern, edge.example;v=1, postern;a=b ,postern')).toBe(508);
    expect(statusOf('postern', 'postern,postern')).toBe(508);
    expect(statusOf('posterns', 'not-postern', 'x;postern, y, postern')).toBe(200);
  });

  it('invariant 7: a Service whose url leads back here takes few connections, whatever the client nominates', async () => {
    const port = await freePort();
    let connections = 0;
    const relay = createServer((client) => {
      connections += 1;
      const server = connect(port, '127.0.0.1');
      client.pipe(server).pipe(client);
      for (const socket of [client, server]) {
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          client.destroy();
          server.destroy();
        });
      }
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const address = relay.address();
    const back = typeof address === 'object' && address !== null ? address.port : 0;
    const gateway = await startGateway({
      port,
      objects: {
        'round.yaml': `
apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: s, namespace: n}
spec: {url: 'http://localhost:${back}'}
---
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: r, namespace: n}
spec: {hosts: [localhost], paths: [{type: Prefix, value: /}], serviceRef: {name: s}, access: Public}
`,
      },
    });
    try {
      const socket = connect(port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close, CDN-Loop\r\nCDN-Loop: mine\r\n\r\n');
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1');
      });
      await once(socket, 'close');
      expect(answer).toMatch(/^HTTP\/1\.1 508 /);
      expect(connections).toBe(3);
    } finally {
      await gateway.stop();
      relay.close();
    }
  }, 60_000);
});
