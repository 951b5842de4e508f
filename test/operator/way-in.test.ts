import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type Authority, privateAuthority } from '../support/certificates.ts';
import { freePort, until } from '../support/gateway.ts';
import { apiserver, openssl } from '../support/parts.ts';
import { type Echo, route, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, type Operator, startOperator } from './operator.ts';
import { becomes } from './rows.ts';

const HOST = 'shop.example.test';
const why = apiserver.why + openssl.why;

describe.skipIf(apiserver.missing || openssl.missing)(`the way in of a cluster ${why}`, { timeout: 90_000 }, () => {
  let server: ApiServer;
  let echo: Echo;
  let authority: Authority;
  let operator: Operator;
  let https: number;

  /** The serial number of what is shown for a name; undefined where the handshake fails. */
  const shown = async (name: string): Promise<string | undefined> => {
    const socket = connect({ host: '127.0.0.1', port: https, servername: name, rejectUnauthorized: false });
    try {
      await once(socket, 'secureConnect');
      return socket.getPeerCertificate().serialNumber;
    } catch {
      return undefined;
    } finally {
      socket.destroy();
    }
  };
  const certificate = (name: string, namespace: string, { key, cert }: ReturnType<Authority['issue']>): unknown => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': cert, 'tls.key': key },
  });
  const ask = async (path: string): Promise<{ readonly status: number; readonly headers: string }> => {
    const headers = { host: HOST, 'x-forwarded-for': '203.0.113.9' };
    const options = { host: '127.0.0.1', port: https, path, headers, servername: HOST, ca: authority.ca, agent: false };
    const [answer] = await once(request(options).end(), 'response');
    answer.resume();
    return { status: answer.statusCode, headers: JSON.stringify(answer.headers) };
  };

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop');
    await installCrds(server);
    authority = privateAuthority('postern way in');
    echo = await startEcho();
    https = await freePort();
    await server.apply(
      yaml(
        service(echo.url),
        route('open', { host: HOST, spec: { tls: { secretRef: { name: 'shop-tls' } } } }),
        certificate('shop-tls', 'shop', authority.issue([`DNS:${HOST}`])),
        certificate('fallback', 'edge', authority.issue(['DNS:fallback.example.test'])),
      ),
    );
    operator = await startOperator({
      kubeconfig: server.kubeconfig,
      https,
      args: [
        '--external-scheme=https',
        `--external-port=${https}`,
        '--default-certificate=edge/fallback',
        '--health-path=/healthy',
        '--trusted-proxies=127.0.0.1',
      ],
    });
    await operator.ready();
  }, 120_000);
  afterAll(async () => {
    await operator?.stop();
    echo?.close();
    authority?.remove();
    await server?.stop();
  });

  it('serves over TLS with the certificate of the Route, and sends plain requests there', async () => {
    expect((await ask('/open/1')).status).toBe(200);
    expect(echo.seen.at(-1)?.headers['x-forwarded-for']).toBe('203.0.113.9, 127.0.0.1');
    expect(echo.seen.at(-1)?.headers['x-forwarded-proto']).toBe('https');
    const plain = await new Visitor().ask(`${operator.url}/open/1?a=b`, { headers: { host: HOST } });
    expect([plain.status, plain.headers.location]).toEqual([308, `https://${HOST}:${https}/open/1?a=b`]);
    expect((await fetch(`${operator.url}/healthy`)).status).toBe(200);
    const asYaml = ['get', 'proute', 'open', '-n', 'shop', '-o', 'yaml'];
    await until(async () => (await server.kubectl(asYaml)).stdout.includes('type: Ready'), 'the status of the Route');
  });

  it('F50 takes over a new certificate live, keeps the old one while the new is broken or gone, and says so', async () => {
    const first = await shown(HOST);
    await server.apply(yaml(certificate('shop-tls', 'shop', authority.issue([`DNS:${HOST}`]))));
    await until(
      async () => (await shown(HOST)) !== first,
      'the new certificate',
      () => operator.log(),
    );
    const second = await shown(HOST);
    expect(second).toBeDefined();
    const { key } = authority.issue([`DNS:${HOST}`]);
    await server.apply(yaml(certificate('shop-tls', 'shop', { key, cert: authority.ca })));
    const condition = async (): Promise<string> =>
      (
        await server.kubectl([
          'get',
          'proute/open',
          '-n',
          'shop',
          '-o',
          'jsonpath={.status.conditions[?(@.type=="CertificateReady")].status}',
        ])
      ).stdout;
    await until(
      async () => (await condition()) === 'False',
      'the condition',
      () => operator.log(),
    );
    expect(await shown(HOST)).toBe(second);
    await server.call('DELETE', '/api/v1/namespaces/shop/secrets/shop-tls');
    await becomes(server, ['routes', 'shop', 'open'], 'CertificateReady', 'False/SecretNotFound', operator);
    expect(await shown(HOST)).toBe(second);
    expect((await ask('/open/2')).status).toBe(200);
    expect((await new Visitor().ask(`${operator.url}/healthy`)).status).toBe(200);
  });

  it('F50 shows the default certificate for what has none, and takes over a new one', async () => {
    const first = await shown('other.example.test');
    expect(first).toBeDefined();
    await server.apply(yaml(certificate('fallback', 'edge', authority.issue(['DNS:fallback.example.test']))));
    await until(
      async () => (await shown('other.example.test')) !== first,
      'the new default',
      () => operator.log(),
    );
    const second = await shown('other.example.test');
    await server.call('DELETE', '/api/v1/namespaces/edge/secrets/fallback');
    await operator.logged(/--default-certificate edge\/fallback: there is no such Secret/);
    expect(await shown('other.example.test')).toBe(second);
  });
});
