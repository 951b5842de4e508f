import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/resources/address-policy.ts';
import type { ClusterMode } from '../../src/routing/options.ts';
import { compileCluster, coreService, told, unwell } from './cluster.ts';
import { answer, object, type Raw, route, service } from './support.ts';

const open = route('shop/r', ['shop'], ['/'], { serviceRef: { name: 's' }, access: 'Public' });
const byRef = (port = 80): Raw => object('Service', 'shop/s', { backendRef: { name: 'orders', port } });
const cidr = (text: string) => {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};

/** What became of the Route, and what is said of its Service. */
function backend(objects: readonly Raw[], mode: Partial<ClusterMode> = {}) {
  const compiled = compileCluster([open, ...objects], mode);
  return {
    served: answer(compiled.table, 'GET shop /'),
    unwell: unwell(compiled, 'Service/shop/s'),
    told: told(compiled, 'Service/shop/s')[0] ?? '',
    route: unwell(compiled, 'Route/shop/r').filter((condition) => condition.includes('=')),
    target: [...compiled.verdicts.values()].find(({ key }) => key === 'Service/shop/s')?.target,
  };
}

describe('a backendRef', () => {
  const core = coreService('shop/orders', { ports: [{ port: 80 }, { port: 8443 }] });

  it('leads to the core Service of its namespace', () => {
    expect(backend([core, byRef()])).toMatchObject({ served: 'Public shop/r', unwell: [], target: 'orders:80' });
  });

  it.each<[string, readonly Raw[], string, RegExp]>([
    ['F43 without a core Service', [byRef()], 'BackendNotFound', /^there is no core Service orders in namespace shop/],
    [
      'A172 with one of another namespace',
      [byRef(), { ...core, metadata: { name: 'orders', namespace: 'web' } }],
      'BackendNotFound',
      /^there is no/,
    ],
    ['F43 with a port that it hasn’t', [core, byRef(81)], 'BackendPortNotFound', /has no port 81; it has 80, 8443$/],
    ['F43 without any port', [coreService('shop/orders', {}), byRef()], 'BackendPortNotFound', /; it has none$/],
    [
      'with one that can’t be read',
      [coreService('shop/orders', { ports: 7 }), byRef()],
      'BackendNotFound',
      /can't be read/,
    ],
    [
      'A174 of type ExternalName',
      [
        coreService('shop/orders', { type: 'ExternalName', externalName: 'metadata.internal', ports: [{ port: 80 }] }),
        byRef(),
      ],
      'AddressNotAllowed',
      /ExternalName.* as url instead$/,
    ],
  ])('%s is refused, and says so', (_, objects, reason, message) => {
    const found = backend(objects);
    expect(found).toMatchObject({
      served: 'Denied shop/r',
      unwell: [`ResolvedRefs=False/${reason}`],
      route: [`ResolvedRefs=False/${reason}`],
    });
    expect(found.told).toMatch(message);
  });
});

describe('A174 a url', () => {
  const PUBLIC: Partial<ClusterMode> = { urlBackends: { kind: 'Public' }, clusterDomain: 'corp.internal' };
  const LISTED: Partial<ClusterMode> = { ...PUBLIC, urlBackends: { kind: 'Listed', cidrs: [cidr('10.1.0.0/16')] } };
  const ANY: Partial<ClusterMode> = { ...PUBLIC, urlBackends: { kind: 'Any' } };
  const served = (url: string, mode: Partial<ClusterMode>) => backend([service('shop/s', url)], mode);

  it.each([
    'http://127.0.0.1:9091',
    'http://10.0.0.1',
    'http://192.168.1.1:8080/base',
    'http://[::1]:8080',
    'http://[fd00::1]',
    'http://[64:ff9b::a00:1]',
    'http://orders',
    'http://orders.shop.svc',
    'http://ORDERS.shop.svc.cluster.local:80',
    'http://orders.shop.svc.cluster.local.',
    'https://kubernetes.default.svc.corp.internal',
    'http://corp.internal',
    'http://localhost:8080',
    'http://a.localhost',
  ])('%s is reached only where whoever runs Postern says so', (url) => {
    const found = served(url, PUBLIC);
    expect(found).toMatchObject({ served: 'Denied shop/r', unwell: ['ResolvedRefs=False/AddressNotAllowed'] });
    expect(found.told).toContain('--url-backends');
    expect(served(url, ANY)).toMatchObject({ served: 'Public shop/r', unwell: [] });
  });

  it.each(['http://169.254.169.254', 'http://[fe80::1]', 'http://[fd00:ec2::254]', 'http://[64:ff9b::a9fe:a9fe]'])(
    '%s is reached under no setting',
    (url) => {
      for (const mode of [PUBLIC, LISTED, ANY]) {
        const found = served(url, mode);
        expect(found).toMatchObject({ served: 'Denied shop/r', unwell: ['ResolvedRefs=False/AddressNotAllowed'] });
        expect(found.told).not.toContain('--url-backends');
      }
    },
  );

  it.each([
    'https://example.com',
    'http://1.1.1.1',
    'https://[2606:4700::1111]',
    'https://svc.example.com',
    'http://a.mysvc',
  ])('%s is public, as far as can be told before it is connected to', (url) => {
    for (const mode of [PUBLIC, LISTED]) expect(served(url, mode)).toMatchObject({ served: 'Public shop/r' });
  });

  it('of an address that is listed is reached, and its neighbour isn’t', () => {
    expect(served('http://10.1.2.3', LISTED).served).toBe('Public shop/r');
    expect(served('http://10.2.2.3', LISTED).served).toBe('Denied shop/r');
    expect(served('http://orders.shop.svc', LISTED).served).toBe('Denied shop/r');
  });

  it('is shown as the target', () => {
    expect(served('https://one.example/base', PUBLIC).target).toBe('https://one.example:443/base');
  });
});
