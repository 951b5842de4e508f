import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointDirectory } from '../../../src/proxy/endpoints.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { createEndpoints, type Endpoints } from '../../../src/sources/kubernetes/endpoints.ts';

const SHOP = namespacedName('shop', 'orders');

const service = (ports: readonly object[] = [{ port: 80, targetPort: 8080 }], spec: object = {}) => ({
  spec: { type: 'ClusterIP', ports, ...spec },
});
const named = (name: string, port: number, targetPort: number | string) => ({
  name,
  port,
  targetPort,
  protocol: 'TCP',
});

interface Conditions {
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}
const READY: Conditions = { ready: true, serving: true, terminating: false };
const STARTING: Conditions = { ready: false, serving: false, terminating: false };
const LEAVING: Conditions = { ready: false, serving: true, terminating: true };
const GONE: Conditions = { ready: false, serving: false, terminating: true };

const pod = (address: string, conditions: Conditions | undefined = READY, uid?: string) => ({
  addresses: [address],
  conditions,
  ...(uid === undefined ? {} : { targetRef: { kind: 'Pod', name: `pod-${uid}`, uid } }),
});
const slice = (
  endpoints: readonly object[],
  { of = 'orders', type = 'IPv4', ports = [{ name: '', port: 8080, protocol: 'TCP' }] as readonly object[] } = {},
) => ({ metadata: { labels: { 'kubernetes.io/service-name': of } }, addressType: type, ports, endpoints });

const hosts = (directory: EndpointDirectory, port = 80): readonly string[] =>
  directory.endpoints(SHOP, port).map((address) => `${address.host} ${address.port}`);

function shop(...endpoints: readonly object[]): Endpoints {
  const directory = createEndpoints();
  directory.service(SHOP, service());
  directory.slice('shop/orders-1', slice(endpoints));
  return directory;
}

describe('ports', () => {
  it('numeric and named target ports are found by the name of the Service’s port', () => {
    const directory = createEndpoints();
    directory.service(SHOP, service([named('web', 80, 'http'), named('admin', 81, 9000)]));
    const at = (web: number) => [
      { name: 'web', port: web },
      { name: 'admin', port: 9000 },
    ];
    // Pods whose named port differs are in slices of their own.
    directory.slice('shop/a', slice([pod('10.0.0.1')], { ports: at(8080) }));
    directory.slice('shop/b', slice([pod('10.0.0.2')], { ports: at(8081) }));
    expect(hosts(directory, 80)).toEqual(['10.0.0.1 8080', '10.0.0.2 8081']);
    expect(hosts(directory, 81)).toEqual(['10.0.0.1 9000', '10.0.0.2 9000']);
    expect(hosts(directory, 8080)).toEqual([]);
  });

  it('only TCP counts, also where UDP has the same number', () => {
    const directory = createEndpoints();
    directory.service(SHOP, service([{ name: 'udp', port: 53, protocol: 'UDP' }, named('tcp', 53, 53)]));
    const ports = [
      { name: 'udp', port: 1, protocol: 'UDP' },
      { name: 'tcp', port: 2, protocol: 'TCP' },
    ];
    directory.slice('shop/a', slice([pod('10.0.0.1')], { ports }));
    expect(hosts(directory, 53)).toEqual(['10.0.0.1 2']);
    directory.service(SHOP, service([{ name: 'udp', port: 53, protocol: 'UDP' }]));
    expect(hosts(directory, 53)).toEqual([]);
  });

  it('F43 a port that is renamed has no endpoint until the slices have its new name', () => {
    const directory = createEndpoints();
    directory.service(SHOP, service([named('web', 80, 8080)]));
    directory.slice('shop/a', slice([pod('10.0.0.1')], { ports: [{ name: 'web', port: 8080 }] }));
    expect(hosts(directory)).toEqual(['10.0.0.1 8080']);
    directory.service(SHOP, service([named('http', 80, 8080)]));
    expect(hosts(directory)).toEqual([]);
    directory.slice('shop/a', slice([pod('10.0.0.1')], { ports: [{ name: 'http', port: 8080 }] }));
    expect(hosts(directory)).toEqual(['10.0.0.1 8080']);
  });
});

describe('conditions', () => {
  it('ready ones serve; one that says nothing is ready', () => {
    const directory = shop(pod('10.0.0.1'), pod('10.0.0.2', STARTING), pod('10.0.0.3', {}), {
      addresses: ['10.0.0.4'],
    });
    expect(hosts(directory)).toEqual(['10.0.0.1 8080', '10.0.0.3 8080', '10.0.0.4 8080']);
  });

  it('F25 one that terminates is out of rotation, unless nothing is ready and it still serves', () => {
    const directory = shop(pod('10.0.0.1'), pod('10.0.0.2', LEAVING));
    expect(hosts(directory)).toEqual(['10.0.0.1 8080']);
    directory.slice(
      'shop/orders-1',
      slice([pod('10.0.0.1', LEAVING), pod('10.0.0.2', LEAVING), pod('10.0.0.3', GONE)]),
    );
    expect(hosts(directory)).toEqual(['10.0.0.1 8080', '10.0.0.2 8080']);
    directory.slice('shop/orders-1', slice([pod('10.0.0.1', GONE), pod('10.0.0.2', STARTING)]));
    expect(hosts(directory)).toEqual([]);
  });

  it('publishNotReadyAddresses: ready is what the slice says, although the Pod terminates', () => {
    expect(hosts(shop(pod('10.0.0.1', { ready: true, serving: false, terminating: true })))).toEqual(['10.0.0.1 8080']);
  });

  it('a rolling update: never empty, never a Pod that isn’t ready', () => {
    const directory = createEndpoints();
    directory.service(SHOP, service());
    const steps: readonly (readonly [endpoints: readonly object[], expected: readonly string[]])[] = [
      [
        [pod('10.0.0.1'), pod('10.0.0.2')],
        ['10.0.0.1', '10.0.0.2'],
      ],
      [
        [pod('10.0.0.1'), pod('10.0.0.2'), pod('10.0.0.3', STARTING)],
        ['10.0.0.1', '10.0.0.2'],
      ],
      [
        [pod('10.0.0.1', LEAVING), pod('10.0.0.2'), pod('10.0.0.3')],
        ['10.0.0.2', '10.0.0.3'],
      ],
      [[pod('10.0.0.2', LEAVING), pod('10.0.0.3'), pod('10.0.0.4', STARTING)], ['10.0.0.3']],
      [
        [pod('10.0.0.3'), pod('10.0.0.4')],
        ['10.0.0.3', '10.0.0.4'],
      ],
    ];
    for (const [endpoints, expected] of steps) {
      directory.slice('shop/orders-1', slice(endpoints));
      expect(hosts(directory)).toEqual(expected.map((host) => `${host} 8080`));
    }
  });
});

describe('slices', () => {
  it('several slices of a Service are one, and each can go', () => {
    const directory = shop(pod('10.0.0.1'));
    directory.slice('shop/orders-2', slice([pod('10.0.0.2')]));
    expect(hosts(directory)).toEqual(['10.0.0.1 8080', '10.0.0.2 8080']);
    directory.slice('shop/orders-1', undefined);
    expect(hosts(directory)).toEqual(['10.0.0.2 8080']);
  });

  it('a Pod that moves from one slice to another counts once', () => {
    const directory = shop(pod('10.0.0.1', READY, 'u1'));
    directory.slice('shop/orders-2', slice([pod('10.0.0.1', READY, 'u1'), pod('10.0.0.2', READY, 'u2')]));
    expect(hosts(directory)).toEqual(['10.0.0.1 8080', '10.0.0.2 8080']);
  });

  it('one whose label changes belongs to the other Service', () => {
    const directory = shop(pod('10.0.0.1'));
    directory.slice('shop/orders-1', slice([pod('10.0.0.1')], { of: 'other' }));
    expect(hosts(directory)).toEqual([]);
  });

  it('A174 one of another namespace says nothing about this one’s Service', () => {
    const directory = shop(pod('10.0.0.1'));
    directory.slice('evil/orders-1', slice([pod('10.6.6.6')]));
    for (const of of ['shop/orders', '../shop/orders', '']) directory.slice('evil/a', slice([pod('10.6.6.6')], { of }));
    expect(hosts(directory)).toEqual(['10.0.0.1 8080']);
  });

  it('two families: a Pod of both counts once, by IPv4; a Pod of one by what it has', () => {
    const directory = shop(pod('10.0.0.1', READY, 'u1'));
    const six = [pod('FD00:0::1', READY, 'u1'), pod('fd00:0::2', READY, 'u2')];
    directory.slice('shop/a-six', slice(six, { type: 'IPv6' }));
    expect(hosts(directory)).toEqual(['10.0.0.1 8080', 'fd00::2 8080']);
    directory.slice('shop/orders-1', undefined);
    expect(hosts(directory)).toEqual(['fd00::1 8080', 'fd00::2 8080']);
  });

  it('names are nobody’s addresses: addressType FQDN, ExternalName', () => {
    const directory = createEndpoints();
    directory.service(SHOP, service());
    directory.slice('shop/a', slice([pod('example.com')], { type: 'FQDN' }));
    directory.slice('shop/b', slice([pod('example.com')]));
    expect(hosts(directory)).toEqual([]);
    directory.slice('shop/c', slice([pod('10.0.0.1')]));
    expect(hosts(directory)).toEqual(['10.0.0.1 8080']);
    directory.service(SHOP, service(undefined, { type: 'ExternalName', externalName: 'kubernetes.default.svc' }));
    expect(hosts(directory)).toEqual([]);
  });

  it('headless Services and Services without a selector are like others', () => {
    const directory = shop(pod('10.0.0.1'));
    directory.service(SHOP, service(undefined, { clusterIP: 'None', clusterIPs: ['None'] }));
    expect(hosts(directory)).toEqual(['10.0.0.1 8080']);
  });

  it('invariant 7: at most 1,000 endpoints of a slice and 5,000 of a Service are taken', () => {
    const directory = createEndpoints();
    directory.service(SHOP, service());
    for (let at = 0; at < 12; at++)
      directory.slice(
        `shop/s${at}`,
        slice(Array.from({ length: 1100 }, (_, i) => pod(`10.${at}.${i >> 8}.${i & 255}`))),
      );
    expect(hosts(directory)).toHaveLength(5000);
    for (let at = 1; at < 12; at++) directory.slice(`shop/s${at}`, undefined);
    expect(hosts(directory)).toHaveLength(1000);
  });
});

describe('changes', () => {
  it('F43 a Service that is deleted has no endpoint at once, and has them back at once', () => {
    const directory = shop(pod('10.0.0.1'));
    directory.service(SHOP, undefined);
    expect(hosts(directory)).toEqual([]);
    directory.service(SHOP, service());
    expect(hosts(directory)).toEqual(['10.0.0.1 8080']);
    directory.slice('shop/orders-1', slice([]));
    expect(hosts(directory)).toEqual([]);
  });

  it('the array is the same as long as nothing changed for that port', () => {
    const directory = shop(pod('10.0.0.1'), pod('10.0.0.2', STARTING));
    const before = directory.endpoints(SHOP, 80);
    expect(directory.endpoints(SHOP, 80)).toBe(before);
    directory.slice('shop/orders-1', slice([pod('10.0.0.1', {}), pod('10.0.0.2', GONE)]));
    directory.slice('shop/other', slice([pod('10.0.0.9')], { of: 'other' }));
    directory.service(SHOP, service([{ port: 80 }, named('more', 81, 81)]));
    expect(directory.endpoints(SHOP, 80)).toBe(before);
    directory.slice('shop/orders-1', slice([pod('10.0.0.2')]));
    expect(directory.endpoints(SHOP, 80)).not.toBe(before);
    expect(before).toEqual([{ host: '10.0.0.1', port: 8080 }]);
  });
});

describe('A174', () => {
  it.each([
    ['IPv4', '127.0.0.1'],
    ['IPv4', '127.1.2.3'],
    ['IPv4', '0.0.0.0'],
    ['IPv4', '169.254.169.254'],
    ['IPv4', '224.0.0.1'],
    ['IPv4', '255.255.255.255'],
    ['IPv4', '2130706433'],
    ['IPv4', '0x7f.1'],
    ['IPv4', '010.0.0.1'],
    ['IPv4', 'fd00::1'],
    ['IPv6', '::'],
    ['IPv6', '::1'],
    ['IPv6', 'fe80::1'],
    ['IPv6', 'fe80::1%eth0'],
    ['IPv6', 'ff02::1'],
    ['IPv6', '::ffff:127.0.0.1'],
    ['IPv6', '::ffff:a9fe:a9fe'],
    ['IPv6', '::ffff:10.0.0.1'],
    ['IPv6', '64:ff9b::a00:1'],
    ['IPv6', 'fd00:ec2::254'],
    ['IPv6', '10.0.0.1'],
  ])('an %s endpoint at %s is left out', (type, address) => {
    const directory = shop();
    directory.slice('shop/bad', slice([pod(address)], { type }));
    expect(hosts(directory)).toEqual([]);
    directory.slice('shop/good', slice([pod('10.0.0.1')]));
    expect(hosts(directory)).toEqual(['10.0.0.1 8080']);
  });

  it('the API server’s endpoints and its cluster addresses are left out, whenever they become known', () => {
    const api = slice([pod('172.18.0.2'), pod('172.18.0.3', STARTING)], {
      of: 'kubernetes',
      ports: [{ name: 'https', port: 6443 }],
    });
    const kubernetes = service([named('https', 443, 6443)], {
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1', 'fd00:96::1'],
    });
    const directory = createEndpoints();
    directory.service(SHOP, service());
    const to = (port: number, ...addresses: readonly string[]) =>
      slice(
        addresses.map((address) => pod(address)),
        { ports: [{ port }] },
      );
    directory.slice('shop/a', to(6443, '172.18.0.2', '172.18.0.3', '10.0.0.1'));
    directory.slice('shop/b', to(443, '10.96.0.1'));
    // Another process on the machine of the API server, where Pods use the machine's own network.
    directory.slice('shop/c', to(8080, '172.18.0.2'));
    expect(hosts(directory)).toHaveLength(5);
    directory.slice('default/kubernetes', api);
    directory.service('default/kubernetes', kubernetes);
    expect(hosts(directory)).toEqual(['10.0.0.1 6443', '172.18.0.2 8080']);
    expect([...directory.apiServerAddresses()].sort()).toEqual(['10.96.0.1', '172.18.0.2', '172.18.0.3', 'fd00:96::1']);
    expect(directory.endpoints('default/kubernetes', 443)).toEqual([]);
    directory.slice(
      'default/kubernetes',
      slice([pod('172.18.0.9')], { of: 'kubernetes', ports: [{ name: 'https', port: 6443 }] }),
    );
    expect(hosts(directory)).toEqual(['172.18.0.2 6443', '172.18.0.3 6443', '10.0.0.1 6443', '172.18.0.2 8080']);
  });
});

it.each([
  ['10.96.0.1', '10.96.0.1'],
  ['::ffff:10.96.0.1', '10.96.0.1'],
  ['FD00:96::1', 'fd00:96::1'],
])('A174 where default isn’t watched, the API server is where this process reaches it: %s', (host, address) => {
  const directory = createEndpoints({ host, port: 443 });
  directory.service(SHOP, service());
  const type = address.includes(':') ? 'IPv6' : 'IPv4';
  directory.slice('shop/a', slice([pod(address)], { type, ports: [{ name: '', port: 443 }] }));
  expect(hosts(directory)).toEqual([]);
  expect([...directory.apiServerAddresses()]).toEqual([address]);
});

it.each(['127.0.0.1', '::1', 'localhost', 'api.example.com'])(
  'an API server at %s closes no address: it is a developer’s, or a name',
  (host) => {
    expect([...createEndpoints({ host, port: 6443 }).apiServerAddresses()]).toEqual([]);
  },
);

describe('properties', () => {
  const conditions = fc.constantFrom<Conditions | undefined>(READY, STARTING, LEAVING, GONE, {}, undefined);
  const someSlice = fc
    .record({
      of: fc.constantFrom('orders', 'kubernetes'),
      type: fc.constantFrom('IPv4', 'IPv6'),
      port: fc.constantFrom(8080, 6443),
      pods: fc.array(fc.tuple(fc.nat(4), conditions), { maxLength: 4 }),
    })
    .map(({ of, type, port, pods }) =>
      slice(
        pods.map(([n, condition]) => pod(type === 'IPv4' ? `10.0.0.${n + 1}` : `fd00::${n + 1}`, condition, `u${n}`)),
        { of, type, ports: [{ name: 'web', port }] },
      ),
    );
  const someService = fc.constantFrom(
    service([named('web', 80, 8080)]),
    service([named('other', 80, 8080), named('web', 81, 1)], { clusterIP: '10.0.0.5' }),
    service([named('web', 80, 8080)], { type: 'ExternalName' }),
  );
  const event = fc.oneof(
    fc.record({
      kind: fc.constant('slice' as const),
      key: fc.constantFrom('shop/a', 'shop/b', 'default/a', 'default/b'),
      value: fc.option(someSlice, { nil: undefined }),
    }),
    fc.record({
      kind: fc.constant('service' as const),
      key: fc.constantFrom('shop/orders', 'default/kubernetes', 'default/orders'),
      value: fc.option(someService, { nil: undefined }),
    }),
  );
  const all = (directory: Endpoints) =>
    ['shop/orders', 'default/kubernetes', 'default/orders', 'shop/kubernetes'].flatMap((name) =>
      [80, 81].map((port) => directory.endpoints(name, port)),
    );

  it('whatever happened before, and in whatever order: only what is there now decides', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (events, dice) => {
        const lived = createEndpoints();
        const last = new Map<string, (typeof events)[number]>();
        for (const one of events) {
          lived[one.kind](one.key, one.value);
          last.set(`${one.kind} ${one.key}`, one);
          all(lived);
        }
        const fresh = createEndpoints();
        const inOrder = [...last.values()].map((one) => ({ one, at: dice.next().value }));
        for (const { one } of inOrder.sort((a, b) => a.at - b.at))
          if (one.value !== undefined) fresh[one.kind](one.key, one.value);
        expect(all(lived)).toEqual(all(fresh));
        expect([...lived.apiServerAddresses()].sort()).toEqual([...fresh.apiServerAddresses()].sort());
      }),
      { numRuns: 500 },
    );
  });

  it('garbage never throws, and gives nothing', () => {
    const key = fc.constantFrom(
      'labels',
      'metadata',
      'spec',
      'ports',
      'endpoints',
      'addresses',
      'conditions',
      'addressType',
    );
    const { garbage } = fc.letrec((tie) => ({
      garbage: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<unknown>(null, 0, '', 'IPv4', Number.NaN, '10.0.0.256'),
        fc.dictionary(key, tie('garbage')),
        fc.array(tie('garbage'), { maxLength: 3 }),
      ),
    }));
    fc.assert(
      fc.property(garbage, garbage, garbage, (a, b, c) => {
        const directory = createEndpoints();
        directory.service(SHOP, service());
        directory.slice('shop/a', a);
        directory.slice('shop/b', { ...slice([]), endpoints: b, ports: [{ port: 1 }] });
        directory.slice('shop/c', { ...slice([pod('10.0.0.1')]), ports: c });
        directory.service('shop/other', b);
        directory.service('default/kubernetes', { spec: c });
        expect(hosts(directory)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
