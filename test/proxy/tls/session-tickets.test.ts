import { execFile } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CertificateStore } from '../../../src/proxy/tls/certificate-store.ts';
import type { TicketKeys } from '../../../src/proxy/tls/session-tickets.ts';
import { parseCidr } from '../../../src/resources/address-policy.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { Redacted } from '../../../src/resources/redacted.ts';
import { privateAuthority } from '../../support/certificates.ts';
import { openssl } from '../../support/parts.ts';
import { RawClient } from '../../support/raw-client.ts';
import { eventually, type Gateway, type GatewayOptions, startGateway } from '../support/gateway.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { offered, type Pair } from './certificates.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
type Version = (typeof VERSIONS)[number];
const get = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

describe.skipIf(openssl.missing)(`session tickets ${openssl.why}`, () => {
  const authority = privateAuthority('test CA');
  afterAll(() => authority.remove());
  const issue = (...names: readonly string[]): Pair => authority.issue(names.map((name) => `DNS:${name}`));
  const app = issue('app.example');
  const other = issue('a.example');
  const HOSTS: Parameters<typeof offered>[0] = { 'app.example': ['app', app], 'a.example': ['other', other] };
  const keysOf =
    (secret: string): TicketKeys =>
    (certificates) =>
      createHmac('sha384', secret).update(certificates).digest();

  let upstream: Upstream;
  let replicas: { readonly gateway: Gateway; readonly store: CertificateStore }[] = [];
  const replica = async (ticketKeys: TicketKeys | undefined, more: Partial<GatewayOptions> = {}, hosts = HOSTS) => {
    const store = new CertificateStore({ now: () => performance.now(), onBroken: () => {} });
    store.update(offered(hosts));
    const gateway = await startGateway({
      port: upstream.port,
      routes: ['app.example', 'a.example', 'bare.example'].map((host) => ({ host, path: '/', exposure: 'Public' })),
      https: { certificates: store, plain: 'Redirect', ticketKeys },
      ...more,
    });
    const made = { gateway, store };
    replicas.push(made);
    return made;
  };
  beforeEach(async () => {
    upstream = await startUpstream();
  });
  afterEach(async () => {
    for (const { gateway } of replicas) await gateway.close();
    replicas = [];
    await upstream.close();
  });

  interface Visit {
    readonly reused: boolean;
    readonly status: number | undefined;
    readonly session: Buffer | undefined;
  }
  /** One connection for `sni`, one request for `host` on it. Rejects where there is no handshake. */
  const visit = async (
    gateway: Gateway,
    version: Version,
    { sni = 'app.example', host = sni, session }: { sni?: string; host?: string; session?: Buffer | undefined } = {},
  ): Promise<Visit> => {
    const client = await RawClient.connectTls(gateway.tlsPort, {
      servername: sni,
      minVersion: version,
      maxVersion: version,
      ...(session === undefined ? {} : { session }),
    });
    const { socket } = client;
    if (!(socket instanceof TLSSocket)) throw new Error('no TLS');
    let given: Buffer | undefined = version === 'TLSv1.2' ? socket.getSession() : undefined;
    socket.on('session', (ticket: Buffer) => {
      given = ticket;
    });
    await client.send(get(host));
    const status = (await client.answer())?.status;
    const reused = socket.isSessionReused();
    client.destroy();
    return { reused, status, session: given };
  };

  it.each(VERSIONS)('%s: what one replica began, another resumes, and a restarted one', async (version) => {
    const [one, two] = [await replica(keysOf('k1')), await replica(keysOf('k1'))];
    const first = await visit(one.gateway, version);
    expect(first).toMatchObject({ reused: false, status: 200 });
    expect(await visit(two.gateway, version, { session: first.session })).toMatchObject({ reused: true, status: 200 });
    expect(await visit(one.gateway, version, { session: first.session })).toMatchObject({ reused: true, status: 200 });
  });

  it.each(VERSIONS)('%s: openssl resumes at another replica', async (version) => {
    const [one, two] = [await replica(keysOf('k1')), await replica(keysOf('k1'))];
    const directory = mkdtempSync(join(tmpdir(), 'postern-tickets-'));
    const file = join(directory, 'session');
    const client = (port: number, ...args: readonly string[]): Promise<string> =>
      new Promise((resolve) => {
        const flag = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
        const child = execFile(
          openssl.path,
          ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'app.example', flag, '-ign_eof', ...args],
          (_error, stdout) => resolve(stdout),
        );
        child.stdin?.end('GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n');
      });
    expect(await client(one.gateway.tlsPort, '-sess_out', file)).toMatch(/^New, TLSv1/m);
    const resumed = await client(two.gateway.tlsPort, '-sess_in', file);
    expect(resumed).toMatch(/^Reused, TLSv1/m);
    expect(resumed).toContain('HTTP/1.1 200 OK');
    rmSync(directory, { recursive: true });
  });

  it.each(VERSIONS)('%s: without a key, with another one, or none yet, a whole handshake', async (version) => {
    const one = await replica(keysOf('k1'));
    const { session } = await visit(one.gateway, version);
    for (const keys of [keysOf('k2'), undefined]) {
      const { gateway } = await replica(keys);
      expect(await visit(gateway, version, { session })).toMatchObject({ reused: false, status: 200 });
    }
  });

  it.each(VERSIONS)('%s: a key that is replaced ends what was sealed with the one before', async (version) => {
    let secret = 'k1';
    const { gateway } = await replica((certificates) => keysOf(secret)(certificates));
    const { session } = await visit(gateway, version);
    expect((await visit(gateway, version, { session })).reused).toBe(true);
    secret = 'k2';
    const next = await visit(gateway, version, { session });
    expect(next.reused).toBe(false);
    expect((await visit(gateway, version, { session: next.session })).reused).toBe(true);
  });

  it.each(VERSIONS)(
    'A035 %s: a ticket of one host opens nothing of another on a connection for the first',
    async (version) => {
      const { gateway } = await replica(keysOf('k1'));
      const { session } = await visit(gateway, version);
      const before = upstream.seen.length;
      expect(await visit(gateway, version, { session, host: 'a.example' })).toMatchObject({
        reused: true,
        status: 421,
      });
      expect(upstream.seen.length).toBe(before);
      expect(await visit(gateway, version, { session, host: 'app.example' })).toMatchObject({
        reused: true,
        status: 200,
      });
    },
  );

  it.each(VERSIONS)(
    'A035 %s: with another name, a ticket serves that name and not the one that it is of',
    async (version) => {
      const { gateway } = await replica(keysOf('k1'));
      const { session } = await visit(gateway, version);
      const before = upstream.seen.length;
      expect((await visit(gateway, version, { session, sni: 'a.example', host: 'app.example' })).status).toBe(421);
      expect(upstream.seen.length).toBe(before);
      expect((await visit(gateway, version, { session, sni: 'a.example' })).status).toBe(200);
    },
  );

  it.each(VERSIONS)('A035 %s: a name that no certificate is shown for resumes nothing', async (version) => {
    const { gateway } = await replica(keysOf('k1'));
    const { session } = await visit(gateway, version);
    await expect(visit(gateway, version, { sni: 'bare.example' })).rejects.toThrow(/handshake failure/);
    const resumed = await visit(gateway, version, { session, sni: 'bare.example' }).catch(() => undefined);
    expect(resumed?.status).toBeUndefined();
    expect(upstream.seen.length).toBe(1);
  });

  it.each(VERSIONS)('A035 F50 %s: none outlives a certificate that is taken away, or replaced', async (version) => {
    const { gateway, store } = await replica(keysOf('k1'));
    const { session } = await visit(gateway, version);
    store.update(offered({ ...HOSTS, 'app.example': ['app', issue('app.example')] }));
    const next = await visit(gateway, version, { session });
    expect(next).toMatchObject({ reused: false, status: 200 });
    expect((await visit(gateway, version, { session: next.session })).reused).toBe(true);
    store.update(offered({ 'a.example': ['other', other] }));
    await expect(visit(gateway, version, { session: next.session })).rejects.toThrow();
    expect(upstream.seen.length).toBe(3);
  });

  it('a default certificate that comes keeps tickets on, and is one that counts', async () => {
    const { gateway, store } = await replica(keysOf('k1'));
    const secret = namespacedName('infra', 'default');
    const standard = issue('default.example');
    const { session } = await visit(gateway, 'TLSv1.3');
    store.update(offered(HOSTS), { secret, certificate: standard.cert, key: new Redacted(standard.key) });
    const next = await visit(gateway, 'TLSv1.3', { session });
    expect(next.reused).toBe(false);
    expect((await visit(gateway, 'TLSv1.3', { session: next.session })).reused).toBe(true);
    const both = await replica(keysOf('k1'));
    const pairs = [standard, issue('other.example'), standard];
    for (const { cert, key } of pairs)
      both.store.update(offered(HOSTS), { secret, certificate: cert, key: new Redacted(key) });
    expect((await visit(both.gateway, 'TLSv1.3', { session: next.session })).reused).toBe(true);
    const between = await visit(both.gateway, 'TLSv1.3');
    for (const { cert, key } of pairs.slice(1))
      both.store.update(offered(HOSTS), { secret, certificate: cert, key: new Redacted(key) });
    expect((await visit(gateway, 'TLSv1.3', { session: between.session })).reused).toBe(true);
    expect((await visit(both.gateway, 'TLSv1.3', { session: next.session })).reused).toBe(true);
    expect((await visit(gateway, 'TLSv1.2', { sni: 'bare.example' })).status).toBe(200);
  });

  it('the order in which certificates came plays no part', async () => {
    const two = Object.fromEntries(Object.entries(HOSTS).reverse());
    const stores = [HOSTS, two].map((hosts) => {
      const store = new CertificateStore({ now: () => performance.now(), onBroken: () => {} });
      store.update(offered(hosts));
      return createHash('sha256').update(store.fingerprint).digest('hex');
    });
    expect(stores[0]).toBe(stores[1]);
  });

  it.each(VERSIONS)('A050 %s: behind the PROXY protocol too', async (version) => {
    const proxied = await replica(keysOf('k1'), {
      trustedProxies: [parseCidr('10.0.0.0/8') ?? []].flat(),
      proxyProtocol: ['https'],
    });
    await expect(visit(proxied.gateway, version)).rejects.toThrow();
    await eventually(() => proxied.gateway.rejected.includes('proxy_header_peer'), 'it is counted');
  });

  it('A160 a hello that comes byte by byte, or never whole, is held to its time and ends', async () => {
    const { gateway } = await replica(keysOf('k1'), { limits: { headTimeout: 300, handshakeTimeout: 300 } });
    const stalled = await RawClient.connect(gateway.tlsPort);
    await stalled.send(Buffer.from([22, 3, 1, 2, 0, 1]));
    await stalled.closed;
    const garbage = await RawClient.connect(gateway.tlsPort);
    await garbage.send('GET / HTTP/1.1\r\n\r\n');
    await garbage.closed;
    expect((await visit(gateway, 'TLSv1.3')).status).toBe(200);
  });
});
