import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openssl } from '../../support/parts.ts';
import { eventually, type Gateway, type GatewayOptions, pathOf, startGateway } from '../support/gateway.ts';
import { answerOf, H2Client } from '../support/h2-client.ts';
import { type TestCertificates, testCertificates } from '../support/secure.ts';
import { ok, startUpstream, type Upstream } from '../support/upstream.ts';

describe.skipIf(openssl.missing)(`limits over HTTP/2 ${openssl.why}`, () => {
  let certificates: TestCertificates;
  let upstream: Upstream;
  let gateway: Gateway;
  let client: H2Client;
  beforeAll(() => {
    certificates = testCertificates();
  });
  afterAll(() => certificates.remove());
  const start = async (options: Partial<GatewayOptions> = {}, respond?: Parameters<typeof startUpstream>[0]) => {
    upstream = await startUpstream(respond);
    gateway = await startGateway({
      port: upstream.port,
      https: { certificates: certificates.store, plain: 'Redirect', http2: true },
      ...options,
    });
    client = await H2Client.connect(gateway.tlsPort);
  };
  afterEach(async () => {
    client.close();
    await gateway.close();
    await upstream.close();
    expect(gateway.errors).toEqual([]);
  });

  it('a body larger than its Route takes is 413, announced or not, and its connection goes on', async () => {
    await start({ routes: [{ path: '/', exposure: 'Public', maxRequestBody: '10' }] });
    const announced = await client.ask({ method: 'POST', headers: { 'content-length': '11' }, body: 'x'.repeat(11) });
    const counted = await client.ask({ method: 'POST', body: 'x'.repeat(11) });
    const fits = await client.ask({ method: 'POST', body: 'x'.repeat(10) });
    expect([announced.status, counted.status, fits.status]).toEqual([413, 413, 200]);
    expect(upstream.seen.map(({ body }) => body.length)).toEqual([10]);
  });

  it('A160 a body that stands still is 408, and others of its connection are served', async () => {
    await start({ limits: { bodyTimeout: 300, bodyRate: 0, checkInterval: 50 } });
    const slow = client.session.request({ ':method': 'POST', ':path': '/x', ':authority': 'app.example' });
    slow.write('abc');
    expect((await answerOf(slow)).status).toBe(408);
    expect((await client.ask({ path: '/y' })).status).toBe(200);
    expect(gateway.records.map(({ reason }) => reason)).toContain('body_timeout');
    await eventually(() => upstream.open <= 1, 'its upstream is let go');
  });

  it('early hints go on', async () => {
    await start({}, (_, socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nSet-Cookie: a=b\r\n\r\n');
      setTimeout(() => socket.write(ok('page')), 50);
      return undefined;
    });
    expect(await client.ask({ path: '/x' })).toMatchObject({ status: 200, body: 'page', informational: [103] });
  });

  it('F48 an overloaded gateway answers 503', async () => {
    await start({
      overload: { shedding: 'memory', refusing: false },
      health: { path: pathOf('/up'), ready: () => true },
    });
    const shed = await client.ask({ path: '/x' });
    expect([shed.status, shed.headers['retry-after']]).toEqual([503, '2']);
    expect((await client.ask({ path: '/up' })).status).toBe(200);
    expect(gateway.records[0]).toMatchObject({ outcome: 'overloaded', reason: 'memory' });
  });
});
