import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addHsts } from '../../../src/proxy/hsts.ts';
import { CertificateStore } from '../../../src/proxy/tls/certificate-store.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { Redacted } from '../../../src/resources/redacted.ts';
import { privateAuthority } from '../../support/certificates.ts';
import { openssl } from '../../support/parts.ts';
import { type RawAnswer, RawClient } from '../../support/raw-client.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { ok, startUpstream, type Upstream } from '../support/upstream.ts';

const POLICY = 'max-age=31536000; includeSubDomains';
const get = (path: string, host = 'app.example'): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

it('the policy of the gateway takes the place of every other', () => {
  const lines = ['strict-transport-security', 'max-age=0', 'A', 'b', 'Strict-Transport-Security', 'x', 'C', 'd'];
  addHsts(lines, POLICY);
  expect(lines).toEqual(['A', 'b', 'C', 'd', 'Strict-Transport-Security', POLICY]);
});

describe.skipIf(openssl.missing)(`Strict-Transport-Security ${openssl.why}`, () => {
  const authority = privateAuthority('test CA');
  afterAll(() => authority.remove());
  const pair = authority.issue(['DNS:app.example']);
  let upstream: Upstream;
  let gateway: Gateway;
  const start = async (hsts: string | undefined): Promise<void> => {
    const certificates = new CertificateStore({ now: () => performance.now(), onBroken: () => {} });
    const secret = namespacedName('shop', 'app');
    certificates.update(new Map(), { secret, certificate: pair.cert, key: new Redacted(pair.key) });
    gateway = await startGateway({ port: upstream.port, https: { certificates, plain: 'Serve', hsts } });
  };
  beforeEach(async () => {
    upstream = await startUpstream(({ target }) =>
      ok('ok', target === '/own' ? 'STRICT-transport-security: max-age=0\r\n' : ''),
    );
  });
  afterEach(async () => {
    await gateway.close();
    await upstream.close();
  });

  const ask = async (bytes: string, tls = true): Promise<RawAnswer | undefined> => {
    const options = { servername: 'app.example' };
    const client = tls ? await RawClient.connectTls(gateway.tlsPort, options) : await RawClient.connect(gateway.port);
    await client.send(bytes);
    const answer = await client.answer();
    client.destroy();
    return answer;
  };
  const policies = async (bytes: string, tls = true): Promise<readonly unknown[]> => {
    const answer = await ask(bytes, tls);
    return [answer?.status, ...(answer?.all('strict-transport-security') ?? [])];
  };

  it('is on every answer over TLS, whoever gives it, once', async () => {
    await start(POLICY);
    expect(await policies(get('/'))).toEqual([200, POLICY]);
    expect(await policies(get('/own'))).toEqual([200, POLICY]);
    expect(await policies(get('/private'))).toEqual([401, POLICY]);
    expect(await policies(get('/', 'other.example'))).toEqual([404, POLICY]);
    expect(await policies(get('/', 'a@b'))).toEqual([400, POLICY]);
    expect(await policies('GARBAGE\r\n\r\n')).toEqual([400, POLICY]);
    expect(await policies('CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n')).toEqual([405, POLICY]);
    await upstream.close();
    expect(await policies(get('/'))).toEqual([502, POLICY]);
    upstream = await startUpstream();
  });

  it('is never written over plain http (RFC 6797 section 7.2), where what a service writes stays its own', async () => {
    await start(POLICY);
    for (const [path, status] of [
      ['/', 200],
      ['/private', 401],
    ] as const)
      expect(await policies(get(path), false)).toEqual([status]);
    expect(await policies('GARBAGE\r\n\r\n', false)).toEqual([400]);
    expect(await policies(get('/own'), false)).toEqual([200, 'max-age=0']);
  });

  it('is off unless asked for, and then what a service writes is passed on', async () => {
    await start(undefined);
    expect(await policies(get('/'))).toEqual([200]);
    expect(await policies('GARBAGE\r\n\r\n')).toEqual([400]);
    expect(await policies(get('/own'))).toEqual([200, 'max-age=0']);
  });
});
