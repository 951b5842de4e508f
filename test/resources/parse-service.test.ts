import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../../src/resources/parse-upstream.ts';
import { problems, service, serviceClaim, serviceOf } from './objects.ts';

const backendOf = (url: string): unknown => serviceOf(service({ url })).backend;

describe('url', () => {
  it.each([
    ['http://127.0.0.1:8080', { scheme: 'http', host: '127.0.0.1', port: 8080, basePath: '' }],
    ['https://Orders.Example.NET.', { scheme: 'https', host: 'orders.example.net', port: 443, basePath: '' }],
    ['http://localhost/', { scheme: 'http', host: 'localhost', port: 80, basePath: '' }],
    ['http://a/base/', { scheme: 'http', host: 'a', port: 80, basePath: '/base' }],
    ['http://a/v1/base', { scheme: 'http', host: 'a', port: 80, basePath: '/v1/base' }],
    ['https://[2001:DB8:0::1]:8443/x', { scheme: 'https', host: '2001:db8::1', port: 8443, basePath: '/x' }],
    ['http://[::1]', { scheme: 'http', host: '::1', port: 80, basePath: '' }],
  ])('%s', (url, backend) => {
    expect(backendOf(url)).toEqual({ kind: 'Url', ...backend });
  });

  it('one place has one spelling, so that guards of a backend can be found', () => {
    const spellings = ['http://a.example', 'http://A.EXAMPLE:80/', 'http://a.example.:80', 'http://a.example/'];
    for (const url of spellings) expect(backendOf(url)).toEqual(backendOf('http://a.example'));
    expect(backendOf('http://[::1]')).toEqual(backendOf('http://[0:0:0:0:0:0:0:1]:80'));
  });

  it.each([
    ['ftp://a', 'must begin with http:// or https://'],
    ['HTTP://a', 'must begin with http:// or https://'],
    ['//a', 'must begin with http:// or https://'],
    ['a.example:80', 'must begin with http:// or https://'],
    ['http://user:hunter2@a/', 'must have no user name and password; leave out what is before the @'],
    ['http://a?x=1', 'must have no query and no fragment; leave out what begins with ? or #'],
    ['http://a/b#c', 'must have no query and no fragment; leave out what begins with ? or #'],
    ['http://', 'must have a DNS name, an IPv4 address or an [IPv6] address after ://'],
    ['http:///x', 'must have a DNS name, an IPv4 address or an [IPv6] address after ://'],
    ['http://:80', 'must have a DNS name, an IPv4 address or an [IPv6] address after ://'],
    ['http://a b', 'must have a DNS name, an IPv4 address or an [IPv6] address after ://'],
    ['http://\u212Aa', 'must have a DNS name, an IPv4 address or an [IPv6] address after ://'],
    ['http://0x7f.1', 'must have a DNS name, an IPv4 address or an [IPv6] address after ://'],
    ['http://2130706433', 'must have a DNS name, an IPv4 address or an [IPv6] address after ://'],
    ['http://0177.0.0.1', 'must have a DNS name, an IPv4 address or an [IPv6] address after ://'],
    ['http://[::1', 'must have a DNS name, an IPv4 address or an [IPv6] address after ://'],
    ['http://[::1%25lo]', 'must have a DNS name, an IPv4 address or an [IPv6] address after ://'],
    ['http://[::ffff:127.0.0.1]', 'has an IPv4 address written as IPv6; write the IPv4 address'],
    ['http://a:0', 'must have a port from 1 to 65535, or none'],
    ['http://a:', 'must have a port from 1 to 65535, or none'],
    ['http://a:65536', 'must have a port from 1 to 65535, or none'],
    ['http://a:080', 'must have a port from 1 to 65535, or none'],
    ['http://a:http', 'must have a port from 1 to 65535, or none'],
    ['http://a\\@evil', 'has a path that no request could have; write plain segments, as in /base'],
    ['http://a\\b', 'has a path that no request could have; write plain segments, as in /base'],
    ['http://a/../b', 'has a path that no request could have; write plain segments, as in /base'],
    ['http://a/%0d', 'has a path that no request could have; write plain segments, as in /base'],
    ['http://a//b', 'has a path that isn’t in canonical form; write plain segments, as in /base'],
    ['http://a/%61', 'has a path that isn’t in canonical form; write plain segments, as in /base'],
    ['http://a/b;c', 'has a path that isn’t in canonical form; write plain segments, as in /base'],
    ['http://a/b%2Fc', 'has a path that isn’t in canonical form; write plain segments, as in /base'],
  ])('T24 refuses %j', (url, message) => {
    const found = problems(service({ url }));
    expect(found).toEqual([`spec.url ${message}`]);
    // A180: a password in the URL gets into no status and no log.
    expect(found.join()).not.toContain('hunter2');
  });
});

describe('a Service', () => {
  it('backendRef and defaults', () => {
    expect(serviceOf(service({ backendRef: { name: 'orders', port: 8080 } }))).toMatchObject({
      kind: 'Service',
      key: 'Service/shop/orders',
      backend: { kind: 'Service', name: 'shop/orders', port: 8080 },
      timeouts: { connect: 5000, response: 60_000, idle: 300_000 },
      plugins: [],
    });
  });

  it('time-outs and plugins', () => {
    const spec = { url: 'http://a', timeouts: { connect: '250ms' }, plugins: [{ kind: 'LoginPlugin', name: 'okta' }] };
    expect(serviceOf(service(spec))).toMatchObject({
      timeouts: { connect: 250, response: 60_000, idle: 300_000 },
      plugins: [{ kind: 'LoginPlugin', name: 'shop/okta' }],
    });
  });

  it.each<[Record<string, unknown>, string]>([
    [{}, 'spec names no backend; write either url or backendRef'],
    [{ url: 'http://a', backendRef: { name: 'a', port: 1 } }, 'spec has both url and backendRef; keep one'],
    [{ backendRef: { name: 'a' } }, 'spec.backendRef.port is missing; write a number'],
    [{ backendRef: { name: 'a', port: 0 } }, 'spec.backendRef.port must be at least 1'],
    [{ backendRef: { name: 'a', port: '80' } }, 'spec.backendRef.port must be a number'],
    [{ backendRef: { name: 'a', port: 80.5 } }, 'spec.backendRef.port must be a whole number'],
    [{ uri: 'http://a' }, 'spec.uri is no field here; did you mean url?'],
    [{ url: 'http://a', timeouts: { connect: '0ms' } }, 'spec.timeouts.connect must be from 1ms to 24h'],
    [{ url: 'http://a', timeouts: { conect: '1s' } }, 'spec.timeouts.conect is no field here; did you mean connect?'],
    [
      {
        url: 'http://a',
        plugins: [
          { kind: 'A', name: 'x' },
          { kind: 'A', name: 'x' },
        ],
      },
      'spec.plugins[1] a plugin of this kind is named above; keep one of them',
    ],
  ])('%j', (spec, message) => {
    expect(problems(service(spec))).toEqual([message]);
  });
});

describe('protocol', () => {
  it.each([
    ['http://a', 'http'],
    ['http://a', 'h2c'],
    ['https://a', 'https'],
    ['https://a', 'h2'],
  ])('%s may speak %s', (url, protocol) => {
    expect(serviceOf(service({ url, protocol })).backend.protocol).toBe(protocol);
  });
  it.each([
    [
      { url: 'http://a', protocol: 'h2' },
      'spec.protocol contradicts spec.url, which begins with http://; write http or h2c, or leave it out',
    ],
    [
      { url: 'https://a', protocol: 'h2c' },
      'spec.protocol contradicts spec.url, which begins with https://; write https or h2, or leave it out',
    ],
  ])('%j', (spec, message) => {
    expect(problems(service(spec))).toEqual([message]);
  });
});

describe('what an invalid Service claims', () => {
  it('its backend, as far as it names exactly one', () => {
    const claimed = (spec: Record<string, unknown>): unknown =>
      serviceClaim(service({ colour: 'red', ...spec })).backend;
    expect(claimed({ url: 'http://A:81/x/' })).toEqual({
      kind: 'Url',
      scheme: 'http',
      host: 'a',
      port: 81,
      basePath: '/x',
    });
    expect(claimed({ backendRef: { name: 'a', port: 80, x: 1 } })).toEqual({
      kind: 'Service',
      name: 'shop/a',
      port: 80,
    });
    for (const spec of [
      {},
      { url: 5 },
      { url: 'http://a@b' },
      { backendRef: 5 },
      { backendRef: { name: 'a' } },
      { backendRef: { name: '../a', port: 1 } },
      { backendRef: { name: 'a', port: 0 } },
      { url: 'http://a', backendRef: { name: 'a', port: 1 } },
      { url: null, backendRef: { name: 'a', port: 1 } },
    ])
      expect(claimed(spec)).toBeUndefined();
  });

  it('its plugins; a misspelt list isn’t an empty one', () => {
    const okta = { kind: 'LoginPlugin', name: 'okta' };
    const claimed = (spec: Record<string, unknown>): unknown => serviceClaim(service({ url: 5, ...spec })).plugins;
    expect(claimed({ plugins: [okta] })).toEqual({
      known: [{ kind: 'LoginPlugin', name: 'shop/okta' }],
      complete: true,
    });
    expect(claimed({})).toEqual({ known: [], complete: true });
    expect(claimed({ plugin: [okta] })).toEqual({ known: [], complete: false });
    expect(claimed({ plugins: okta })).toEqual({ known: [], complete: false });
  });
});

describe('how an upstream is reached', () => {
  const REF = { backendRef: { name: 'orders', port: 8443 } };

  it('defaults', () => {
    expect(serviceOf(service(REF)).upstream).toEqual({ policy: DEFAULT_POLICY, tls: undefined });
    // One value for all of them.
    expect(serviceOf(service(REF)).upstream.policy).toBe(serviceOf(service({ url: 'http://a' })).upstream.policy);
  });

  it.each([
    [{ ...REF, protocol: 'https' }, 'orders.shop.svc'],
    [{ ...REF, protocol: 'h2' }, 'orders.shop.svc'],
    [{ ...REF, protocol: 'https', tls: { serverName: 'orders.example' } }, 'orders.example'],
    [{ url: 'https://orders.example' }, undefined],
    [{ url: 'https://10.0.0.1', tls: { serverName: 'orders.example' } }, 'orders.example'],
  ])('%j is verified for %s', (spec, serverName) => {
    expect(serviceOf(service(spec)).upstream.tls).toEqual({
      verify: true,
      serverName,
      caRef: undefined,
      clientCertRef: undefined,
    });
  });

  it('a path before every request path', () => {
    const basePath = (spec: Record<string, unknown>): string => serviceOf(service(spec)).upstream.policy.basePath;
    expect(basePath({ ...REF, path: '/v1/base/' })).toBe('/v1/base');
    expect(basePath({ ...REF, path: '/' })).toBe('');
    expect(basePath({ url: 'http://a/base' })).toBe('/base');
  });

  it.each<[Record<string, unknown>, string]>([
    [
      { ...REF, tls: { caRef: { name: 'ca' } } },
      'spec.tls is for TLS only; write protocol: https, or begin the url with https://, or leave this out',
    ],
    [
      { url: 'http://a', tls: { serverName: 'a.example' } },
      'spec.tls is for TLS only; write protocol: https, or begin the url with https://, or leave this out',
    ],
    [
      { ...REF, insecure: { unverifiedTLS: true } },
      'spec.insecure.unverifiedTLS is for TLS only; write protocol: https, or begin the url with https://, or leave this out',
    ],
    [
      { url: 'https://a', tls: { caRef: { name: 'ca' } }, insecure: { unverifiedTLS: true } },
      'spec.insecure.unverifiedTLS excludes tls.caRef, for nothing would be verified; leave this out, or the caRef',
    ],
    [
      { url: 'https://a', tls: { verify: false } },
      'spec.tls.verify is no field here; there are caRef, clientCertRef and serverName',
    ],
    [
      { url: 'https://a', tls: { serverName: '*.example' } },
      'spec.tls.serverName must be a DNS name in lower case, without port, wildcard and final dot',
    ],
    [
      { url: 'https://a', tls: { serverName: '10.0.0.1' } },
      'spec.tls.serverName must be a DNS name in lower case, without port, wildcard and final dot',
    ],
    [{ url: 'http://a', path: '/b' }, 'spec.path is for backendRef; write the path into the url'],
    [{ ...REF, path: '/../b' }, 'spec.path has a path that no request could have; write plain segments, as in /base'],
    [{ ...REF, limits: { connectionsPerEndpoint: 0 } }, 'spec.limits.connectionsPerEndpoint must be at least 1'],
    [{ ...REF, limits: { pendingTimeout: '0s' } }, 'spec.limits.pendingTimeout must be from 1ms to 24h'],
    [{ ...REF, retries: { attempts: 6 } }, 'spec.retries.attempts must be at most 5'],
    [{ ...REF, loadBalancing: 'SessionHash' }, 'spec.loadBalancing must be RoundRobin or LeastRequest'],
    [
      { ...REF, healthCheck: { passive: { maxEjectedPercent: 51 } } },
      'spec.healthCheck.passive.maxEjectedPercent must be at most 50',
    ],
    [
      { ...REF, healthCheck: { passive: { ejectionTime: '10m' } } },
      'spec.healthCheck.passive.maxEjectionTime must not be shorter than ejectionTime',
    ],
    [{ ...REF, timeouts: { request: '25h' } }, 'spec.timeouts.request must be from 1ms to 24h'],
  ])('%j', (spec, message) => {
    expect(problems(service(spec))).toEqual([message]);
  });
});
