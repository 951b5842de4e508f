import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerClassifier } from '../../src/proxy/header-class.ts';
import { identityHeaders } from '../../src/resources/identity-headers.ts';
import { type Json, problems, route, routeOf } from './objects.ts';

const header = (name: string, value = 'a'): Json => ({ name, value });
const request = (place: string, name: string): Json => ({
  requestHeaders: { [place]: place === 'remove' ? [name] : [header(name)] },
});
const response = (place: string, name: string): Json => ({
  responseHeaders: { [place]: place === 'remove' ? [name] : [header(name)] },
});
const cors = (fields: Json): Json => ({ cors: { allowOrigins: ['https://app.example.com'], ...fields } });
const origin = (...allowOrigins: readonly string[]): Json => ({ cors: { allowOrigins } });
const ORIGIN =
  'must be an origin as browsers send it: http:// or https:// and a host in lower case, with a port only where it isn’t the usual one, and nothing behind it';
const WILDCARD = 'must be https://*. and a name of at least two labels, as in https://*.example.com';
const CIDR = 'must be an address or a network, as in 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32';

describe('filters of a Route', () => {
  it('none: nothing of them is kept', () => {
    expect(routeOf(route()).filters).toBeUndefined();
    expect(routeOf(route({ stripPath: false, httpsRedirect: false })).filters).toBeUndefined();
  });

  it('all of them', () => {
    const fields = {
      clients: { allow: ['10.0.0.0/8', '2001:db8::1'] },
      httpsRedirect: true,
      cors: { allowOrigins: ['https://*.example.com', 'http://localhost:3000'], maxAge: '1h', allowCredentials: true },
      rewrite: { prefix: '/v1/', host: 'inner.example' },
      requestHeaders: { set: [header('X-A')], add: [header('x-b', '')], remove: ['X-C'] },
      responseHeaders: { add: [header('X-A')], remove: ['Set-Cookie'] },
    };
    expect(routeOf(route(fields)).filters).toMatchObject({
      clients: [
        { text: '10.0.0.0/8', family: 4 },
        { text: '2001:db8::1', family: 6 },
      ],
      httpsRedirect: true,
      cors: { allowMethods: ['GET', 'HEAD', 'POST'], allowHeaders: [], maxAge: 3_600_000, allowCredentials: true },
      path: { kind: 'Prefix', prefix: '/v1' },
      strips: false,
      host: { kind: 'Name', name: 'inner.example' },
      requestHeaders: { set: [header('X-A')], add: [header('x-b', '')], remove: ['X-C'] },
    });
    expect(routeOf(route({ stripPath: true })).filters).toMatchObject({
      path: { kind: 'Prefix', prefix: '' },
      strips: true,
    });
    expect(routeOf(route({ rewrite: { prefix: '/' } })).filters?.path).toEqual({ kind: 'Prefix', prefix: '' });
    expect(routeOf(route({ preserveHost: false })).filters?.host).toEqual({ kind: 'Backend' });
  });
});

describe('problems say what to write', () => {
  it.each<[Json, string]>([
    [
      { stripPath: true, rewrite: { path: '/a' } },
      'spec.stripPath and rewrite of the path exclude each other; stripPath is rewrite.prefix /, so keep one',
    ],
    [{ rewrite: {} }, 'spec.rewrite says nothing; write path, prefix or host, or leave it out'],
    [{ rewrite: { path: '/a', prefix: '/b' } }, 'spec.rewrite has both path and prefix; keep one'],
    [
      {
        stripPath: true,
        paths: [
          { type: 'Prefix', value: '/a' },
          { type: 'Exact', value: '/b' },
        ],
      },
      'spec.paths[1].type must be Prefix where stripPath or rewrite.prefix takes the prefix off; write rewrite.path, or a Route of its own for this path',
    ],
    [{ rewrite: { path: 'a' } }, 'spec.rewrite.path must begin with /'],
    [
      { rewrite: { path: '/a/../b' } },
      'spec.rewrite.path has a segment . or .., which no request may have; write where it leads to',
    ],
    [{ rewrite: { path: '//evil.example/' } }, 'spec.rewrite.path must be in canonical form; write "/evil.example/"'],
    [
      { rewrite: { path: '/a?b' } },
      'spec.rewrite.path has a character that a path can’t hold; it has no query, and others are escaped as UTF-8, as in %20',
    ],
    [{ rewrite: { prefix: '/a;b' } }, 'spec.rewrite.prefix servers read this path in more than one way; write "/a"'],
    [
      { rewrite: { prefix: '/_oidc/x' } },
      'spec.rewrite.prefix must not lie below /_oidc, which is Postern’s own; write another path',
    ],
    [
      { rewrite: { host: 'Evil.example:80' } },
      'spec.rewrite.host must be a DNS name in lower case, without port, path and final dot',
    ],
    [
      { rewrite: { host: '*.example' } },
      'spec.rewrite.host must be a DNS name in lower case, without port, path and final dot',
    ],
    [
      { rewrite: { host: '10.0.0.1' } },
      'spec.rewrite.host must be a DNS name in lower case, without port, path and final dot',
    ],
    [
      { rewrite: { host: 'a.b' }, preserveHost: true },
      'spec.preserveHost and rewrite.host exclude each other; keep one',
    ],
    [{ stripPath: 'yes' }, 'spec.stripPath must be true or false'],
    [{ rewrite: { pathh: '/a' } }, 'spec.rewrite.pathh is no field here; did you mean path?'],
    [
      { clients: { allow: ['10.0.0.1/8'] } },
      'spec.clients.allow[0] has bits set behind the first 8; write the network, or the address without /8',
    ],
    [{ clients: { allow: ['10.0.0.0/8', '10.0.0/24'] } }, `spec.clients.allow[1] ${CIDR}`],
    [{ clients: { allow: ['10.0.0.0/33'] } }, `spec.clients.allow[0] ${CIDR}`],
    [{ clients: { allow: ['example.com'] } }, `spec.clients.allow[0] ${CIDR}`],
    [{ clients: { allow: [] } }, 'spec.clients.allow must have at least 1 member'],
    [{ clients: {} }, 'spec.clients.allow is missing; write a list'],
    [
      { clients: { alow: ['10.0.0.0/8'], allow: ['10.0.0.0/8'] } },
      'spec.clients.alow is no field here; did you mean allow?',
    ],
    [{ requestHeaders: {} }, 'spec.requestHeaders says nothing; write set, add or remove, or leave it out'],
    [
      request('add', 'Content-Type'),
      'spec.requestHeaders.add[0].name can be there only once in a request; write it under set',
    ],
    [
      request('set', 'Host'),
      'spec.requestHeaders.set[0].name is written by Postern; write rewrite.host or preserveHost instead',
    ],
    [
      request('remove', 'X_Forwarded.User'),
      'spec.requestHeaders.remove[0] is an identity header, which no client can send and only plugins write; take it away',
    ],
    [
      request('set', 'cookie'),
      'spec.requestHeaders.set[0].name carries sessions, so it can’t be changed; take it away',
    ],
    [
      { requestHeaders: { set: [header('X-A')], remove: ['x_a'] } },
      'spec.requestHeaders.remove[0] is there twice in this filter; leave one out',
    ],
    [
      { requestHeaders: { set: [header('X-A', 'a\r\nX-Admin: 1')] } },
      'spec.requestHeaders.set[0].value must be visible ASCII characters, with blanks only between them',
    ],
    [
      response('set', 'Set-Cookie'),
      'spec.responseHeaders.set[0].name sets cookies, which the service does itself; take it away',
    ],
    [
      { ...cors({}), ...response('set', 'Access-Control-Allow-Origin') },
      'spec.responseHeaders.set[0].name is written by cors of this Route; take it away',
    ],
    [
      origin('*', 'https://a.example'),
      'spec.cors.allowOrigins has * beside other origins; keep * alone, or leave it out',
    ],
    [
      cors({ allowOrigins: ['*'], allowCredentials: true }),
      'spec.cors.allowOrigins[0] * can’t be had with allowCredentials, for any page could then act as whoever looks at it; write the origins',
    ],
    [
      origin('null'),
      'spec.cors.allowOrigins[0] null is what frames of anybody and local files send, so it can’t be told whose page it is; leave it out',
    ],
    ...[
      'app.example.com',
      'https://App.example.com',
      'https://app.example.com/',
      'https://a.example:443',
      'http://a.example:80',
      'https://a@b.example',
      'ftp://a.example',
      'https://a.example:0',
      'https://',
      'https://a.example:70000',
      'https://0x7f.1',
    ].map((text): [Json, string] => [origin(text), `spec.cors.allowOrigins[0] ${ORIGIN}`]),
    ...[
      'https://*',
      'https://*.com',
      'http://*.example.com',
      'https://a.*.example.com',
      'https://*example.com',
      'https://*.example.com:8443',
      '*.example.com',
      'https://*.*.example.com',
      'https://*.1.2',
    ].map((text): [Json, string] => [origin(text), `spec.cors.allowOrigins[0] ${WILDCARD}`]),
    [cors({ allowMethods: ['TRACE'] }), 'spec.cors.allowMethods[0] TRACE is never forwarded; leave it out'],
    [
      cors({ allowHeaders: ['*'], allowCredentials: true }),
      'spec.cors.allowHeaders has *, which with allowCredentials browsers read as the name of a header; write the names',
    ],
    [cors({ maxAge: '25h' }), 'spec.cors.maxAge must be a time from 0s to 24h'],
    [{ cors: {} }, 'spec.cors.allowOrigins is missing; write a list'],
  ])('%j', (spec, message) => {
    expect(problems(route(spec))).toContain(message);
  });

  it('A040 A041 A050 a Route writes, or takes away, no header of a request but those that pass through unchanged', () => {
    const classify = headerClassifier(identityHeaders([]));
    const known = fc.constantFrom(
      ...'X-Forwarded-User X-Auth-Request-Email Remote-User X-Webauth-User X-Postern-Id Authorization Cookie Host Connection TE Trailer Upgrade Keep-Alive Transfer-Encoding Content-Length Expect Forwarded X-Forwarded-For X-Forwarded-Proto X-Real-IP X-Request-Id CDN-Loop Proxy X-Original-URL X-Rewrite-URL X-Envoy-Peer X-HTTP-Method-Override True-Client-IP Proxy-Authorization HTTP2-Settings X-Host Accept X-Tenant'.split(
        ' ',
      ),
    );
    const spelt = fc
      .tuple(known, fc.constantFrom('-', '_', '.', '!', '~'), fc.boolean())
      .map(([name, by, lower]) => (lower ? name.toLowerCase() : name).replaceAll('-', by));
    const name = fc.oneof(spelt, fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/));
    let accepted = 0;
    fc.assert(
      fc.property(name, fc.constantFrom('set', 'add', 'remove'), (text, place) => {
        if (problems(route(request(place, text))).length > 0) return;
        accepted += 1;
        expect(classify(text).kind).toBe('Pass');
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(200);
  });
});
