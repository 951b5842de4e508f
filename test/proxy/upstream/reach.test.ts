import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NO_ENDPOINTS } from '../../../src/proxy/endpoints.ts';
import { FAILURE_STATUS, type ForwardResult } from '../../../src/proxy/forwarder.ts';
import { createReach, leadsHome, type ReachRules } from '../../../src/proxy/upstream/reach.ts';
import type { Resolve } from '../../../src/proxy/upstream/resolve.ts';
import { createSocketForwarder } from '../../../src/proxy/upstream/socket-forwarder.ts';
import { type AddressPolicy, parseCidr } from '../../../src/resources/address-policy.ts';
import type { Backend } from '../../../src/resources/resource.ts';
import { request, type TestUpstream, testUpstream, text } from './support.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const PUBLIC: AddressPolicy = { kind: 'Public' };
const ANY: AddressPolicy = { kind: 'Any' };
const listed = (...texts: readonly string[]): AddressPolicy => ({
  kind: 'Listed',
  cidrs: texts.flatMap((cidr) => parseCidr(cidr) ?? []),
});
const rules = (urlBackends: AddressPolicy, api: readonly string[] = []): ReachRules => ({
  urlBackends,
  clusterDomain: 'cluster.local',
  forbiddenAddresses: () => new Set(api),
});
const url = (host: string, port: number): Backend => ({ kind: 'Url', scheme: 'http', host, port, basePath: '' });
const found = (...addresses: readonly string[]): readonly LookupAddress[] =>
  addresses.map((address) => ({ address, family: isIP(address) }));

/** Answers with the given lists in turn, the last one for ever, and remembers what was asked. */
function fakeResolver(...answers: readonly (readonly string[])[]): {
  readonly resolve: Resolve;
  readonly asked: string[];
} {
  const asked: string[] = [];
  return {
    asked,
    resolve(name, done) {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(name);
      setImmediate(() => done(null, found(...answer)));
    },
  };
}

async function upstream(...args: Parameters<typeof testUpstream>): Promise<TestUpstream> {
  const created = await testUpstream(...args);
  closers.push(created.close);
  return created;
}

function forwarder(reach: ReachRules, resolve?: Resolve) {
  const up = createSocketForwarder({
    ownPorts: new Set(),
    endpoints: NO_ENDPOINTS,
    reach,
    ...(resolve === undefined ? {} : { resolve }),
  });
  closers.push(() => up.close());
  return up;
}

const causeOf = (result: ForwardResult): string => (result.kind === 'Failed' ? `${result.code}: ${result.cause}` : '');

describe('A174 a url of an address', () => {
  it.each([
    '127.0.0.1',
    '127.0.0.2',
    '0.0.0.0',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
  ])('of this machine, %s, is not public: nothing arrives', async (host) => {
    const inside = await upstream('inside', undefined, { host: '::' });
    const result = await forwarder(rules(PUBLIC)).forward(request(url(host, inside.port)));
    expect(causeOf(result)).toMatch(
      /^address_not_allowed: .* is not a public address: .* --url-backends \S+\/(32|128), or Any$/,
    );
    expect(inside.accepted).toBe(0);
    expect(FAILURE_STATUS.address_not_allowed).toBe(502);
  });

  it.each(['127.0.0.1', '0.0.0.0', '::1', '::ffff:127.0.0.1'])('as %s is reached where everything is', async (host) => {
    const inside = await upstream('inside', undefined, { host: '::' });
    expect(await text(await forwarder(rules(ANY)).forward(request(url(host, inside.port))))).toBe('inside');
  });

  // Names to the parser of urls, addresses to resolvers: what the resolver makes of them decides.
  it.each(['2130706433', '0x7f000001', '0x7f.1', '127.1', '0177.0.0.1', 'localhost'])(
    'in another spelling, %s, is the address that it leads to',
    async (host) => {
      const inside = await upstream('inside');
      const before = createReach(rules(PUBLIC));
      expect(before.refusal(host)).toBeUndefined();
      const result = await forwarder(rules(PUBLIC)).forward(request(url(host, inside.port)));
      expect(causeOf(result)).toMatch(/^(address_not_allowed|name_not_resolved): /);
      expect(inside.accepted).toBe(0);
    },
  );

  it.each([
    '169.254.169.254',
    '169.254.0.1',
    'fe80::1',
    'fe80::1%lo',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    'fd00:ec2::254',
  ])('of a metadata service, %s, is reached under no setting', async (host) => {
    for (const policy of [PUBLIC, ANY, listed('0.0.0.0/0', '::/0')]) {
      const result = await forwarder(rules(policy)).forward(request(url(host, 80)));
      expect(causeOf(result)).toMatch(/^address_not_allowed: .* reached under no setting$/);
    }
  });

  it('lists open what is meant, and nothing beside it', async () => {
    const inside = await upstream('inside', undefined, { host: '0.0.0.0' });
    const up = forwarder(rules(listed('127.0.0.1/32')));
    expect(await text(await up.forward(request(url('127.0.0.1', inside.port))))).toBe('inside');
    expect(await text(await up.forward(request(url('127.0.0.2', inside.port))))).toBe('address_not_allowed');
    expect(inside.accepted).toBe(1);
  });

  it('of the API server is reached under no setting, from the moment that it is known', async () => {
    const inside = await upstream('inside', undefined, { host: '::' });
    const api = new Set<string>();
    const up = forwarder({ urlBackends: ANY, clusterDomain: 'cluster.local', forbiddenAddresses: () => api });
    expect(await text(await up.forward(request(url('127.0.0.1', inside.port))))).toBe('inside');
    api.add('127.0.0.1');
    for (const host of ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1']) {
      expect(causeOf(await up.forward(request(url(host, inside.port))))).toMatch(/is an address of the API server/);
    }
    expect(inside.accepted).toBe(1);
    const { resolve } = fakeResolver(['127.0.0.1']);
    const byName = forwarder(rules(ANY, ['127.0.0.1']), resolve);
    expect(causeOf(await byName.forward(request(url('api.example', inside.port))))).toMatch(/the API server/);
    expect(inside.accepted).toBe(1);
  });
});

describe('A174 a url of a name', () => {
  it.each([
    [['10.0.0.1']],
    [['127.0.0.1', '::1']],
    [['169.254.169.254']],
    [['::ffff:10.0.0.1']],
    [['::ffff:7f00:1']],
    [['0.0.0.0']],
    [['fd00::1', 'fe80::1']],
  ])('that leads to %s is not reached', async (addresses) => {
    const { resolve } = fakeResolver(addresses);
    const result = await forwarder(rules(PUBLIC), resolve).forward(request(url('rebind.example', 80)));
    expect(causeOf(result)).toMatch(/^address_not_allowed: rebind\.example leads nowhere that may be reached: /);
  });

  it('DNS rebinding: every connect is judged anew, and goes to an address that was judged', async () => {
    const inside = await upstream('inside', (socket) => {
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\ninside');
    });
    const { resolve, asked } = fakeResolver(['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1']);
    const up = forwarder(rules(listed('127.0.0.1/32')), resolve);
    const get = async () => text(await up.forward(request(url('rebind.example', inside.port))));
    expect(await get()).toBe('inside');
    expect(await get()).toBe('address_not_allowed');
    expect(await get()).toBe('inside');
    expect(inside.accepted).toBe(2);
    // Once for each connect: no second question whose answer could be another.
    expect(asked).toEqual(['rebind.example', 'rebind.example', 'rebind.example']);
  });

  it('with addresses of both kinds goes to none but those allowed', async () => {
    const [inside, elsewhere] = [await upstream('inside'), await upstream('other')];
    const { resolve } = fakeResolver(['127.0.0.2', '169.254.169.254', '127.0.0.1', '10.0.0.1']);
    const up = forwarder(rules(listed('127.0.0.1/32')), resolve);
    expect(await text(await up.forward(request(url('both.example', inside.port))))).toBe('inside');
    await inside.close();
    expect(await text(await up.forward(request(url('both.example', inside.port))))).toBe('connect_refused');
    expect(elsewhere.accepted).toBe(0);
  });

  it.each([
    'orders.shop.svc.cluster.local',
    'kubernetes.default.svc.CLUSTER.LOCAL',
    'cluster.local',
    'a.cluster.local.',
  ])('of the cluster, %s, is for backendRef unless everything may be reached', async (host) => {
    const { resolve, asked } = fakeResolver(['8.8.8.8']);
    for (const policy of [PUBLIC, listed('10.0.0.0/8')]) {
      const result = await forwarder(rules(policy), resolve).forward(request(url(host, 80)));
      expect(causeOf(result)).toMatch(/^address_not_allowed: .* is a name of the cluster: write spec\.backendRef/);
    }
    expect(asked).toEqual([]);
    expect(createReach(rules(ANY)).refusal(host)).toBeUndefined();
  });

  it('that only looks like one of the cluster is not', () => {
    for (const host of ['notcluster.local', 'cluster.local.example.com', 'cluster-local'])
      expect(createReach(rules(PUBLIC)).refusal(host)).toBeUndefined();
  });

  it('that has no address is one that nobody knows', async () => {
    const { resolve } = fakeResolver([]);
    const result = await forwarder(rules(ANY), resolve).forward(request(url('empty.example', 80)));
    expect(causeOf(result)).toMatch(/^name_not_resolved: /);
  });
});

it.each([
  ['127.0.0.1', '127.0.0.1', true],
  ['127.8.8.8', '127.0.0.1', true],
  ['::1', '::1', true],
  ['::ffff:127.0.0.1', '::ffff:127.0.0.1', true],
  ['10.0.0.7', '10.0.0.7', true],
  ['10.0.0.8', '10.0.0.7', false],
  ['192.0.2.1', undefined, false],
])('A174 a connection to %s from %s leads home: %s', (remoteAddress, localAddress, home) => {
  expect(leadsHome({ remoteAddress, localAddress })).toBe(home);
});
