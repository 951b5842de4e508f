import { METHODS } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TARGET, parseTarget, TARGET_FAULT_STATUS } from '../../src/routing/target.ts';

const HOST = 'app.example';
/** The canonical path and query, or the status of the answer. */
function ask(target: string, method = 'GET', host = HOST): string | number {
  const parsed = parseTarget(method, host, target);
  return parsed.ok ? parsed.target.path + parsed.target.query : TARGET_FAULT_STATUS[parsed.fault];
}
const faultOf = (method: string, host: string, target: string): string | undefined => {
  const parsed = parseTarget(method, host, target);
  return parsed.ok ? undefined : parsed.fault;
};

describe('parseTarget', () => {
  it('gives every part in canonical form', () => {
    expect(parseTarget('GET', 'APP.example.:8443', '/caf%c3%a9//x?q=%zz&b=\'"<')).toEqual({
      ok: true,
      target: { method: 'GET', host: HOST, path: '/caf%C3%A9/x', query: '?q=%zz&b=\'"<', encodedSlash: false },
    });
    expect(ask('/x?')).toBe('/x?');
    expect(ask('/?a?b=/../')).toBe('/?a?b=/../');
  });

  it('A001 the query is no part of the path', () => {
    expect(parseTarget('GET', HOST, '/api/private?x=/status')).toMatchObject({
      target: { path: '/api/private', query: '?x=/status' },
    });
    expect(ask('/api/private%3Fx=/status')).toBe('/api/private%3Fx=/status');
  });

  it.each(['/foo/secret#/bar', '/foo?a#b', '/#'])('A002 a raw # is refused: %s', (target) => {
    expect(ask(target)).toBe(400);
  });

  it('A002 an escaped # stays data', () => {
    expect(ask('/foo/secret%23/bar')).toBe('/foo/secret%23/bar');
  });

  it.each(['/public/../admin', '/public/%2e%2e/admin', '/public/.%2e/admin', '/public/..;/admin'])(
    'A004 %s',
    (target) => {
      expect(ask(target)).toBe(400);
    },
  );

  it('A005 /api.. is no /api', () => {
    expect(ask('/api../admin')).toBe('/api../admin');
    expect(ask('/api%2e%2e/admin')).toBe('/api../admin');
  });

  it.each(['/public%2f..%2fadmin', '/%5C', '/%5c..%5c'])('A007 %s', (target) => {
    expect(ask(target)).toBe(400);
  });

  it('A007 an escaped slash is told, for the Route to decide', () => {
    expect(parseTarget('GET', HOST, '/a%2fb')).toMatchObject({ target: { path: '/a%2Fb', encodedSlash: true } });
  });

  it.each(['//admin', '///admin'])('A008 %s is /admin, never an authority', (target) => {
    expect(parseTarget('GET', HOST, target)).toMatchObject({ target: { host: HOST, path: '/admin' } });
  });

  it.each(['/a\\..\\admin', '\\admin', '/x?a\\b'])('A009 a raw backslash is refused: %s', (target) => {
    expect(ask(target)).toBe(400);
  });

  it.each(['/admin%00', '/%00', '/admin%0a', '/a%0d%0aX:%20y'])('A012 %s', (target) => {
    expect(ask(target)).toBe(400);
  });

  it.each(['/%zz', '/%', '/%c0%ae%c0%ae/'])('A013 %s', (target) => {
    expect(ask(target)).toBe(400);
  });

  it('A013 a double escape stays data', () => {
    expect(ask('/%25%32%65')).toBe('/%252e');
  });

  it('A014 absolute-form: the authority must be the Host', () => {
    expect(faultOf('GET', 'app', 'http://evil.example/x')).toBe('AuthorityDiffers');
    expect(ask('http://app.example/x?y')).toBe('/x?y');
    expect(ask('HTTP://APP.example.:80/x')).toBe('/x');
    expect(ask('https://app.example/x', 'GET', 'app.example:443')).toBe('/x');
    expect(faultOf('GET', 'app.example:8080', 'http://app.example/x')).toBe('AuthorityDiffers');
    expect(ask('http://app.example')).toBe('/');
    expect(ask('http://app.example?x')).toBe('/?x');
    expect(ask('http://app.example//evil/x')).toBe('/evil/x');
    expect(ask('http://app.example/a/../b')).toBe(400);
  });

  it.each([
    'http://user@app.example/',
    'http://app.example@evil/',
    'ftp://app.example/x',
    'http:/x',
    'http:x',
    'http://',
    'http:///x',
    'http://app.example\\x',
    'javascript:x',
    'app.example/x',
    '',
    '?x',
    'x',
    ' /x',
    '.',
    '../x',
  ])('A014 no other form: %j', (target) => {
    expect(ask(target)).toBe(400);
  });

  it('A015 GET * and OPTIONS *: 400; CONNECT and TRACE: 405', () => {
    expect(ask('*')).toBe(400);
    expect(ask('*', 'OPTIONS')).toBe(400);
    expect(ask('http://app.example', 'OPTIONS')).toBe(400);
    expect(ask('a:443', 'CONNECT')).toBe(405);
    expect(ask('/', 'CONNECT')).toBe(405);
    expect(ask('/', 'TRACE')).toBe(405);
    expect(ask('/', 'TRACK')).toBe(405);
    expect(ask('a:443', 'GET')).toBe(400);
  });

  it('A016 //evil.example/x stays a path of this host', () => {
    expect(parseTarget('GET', HOST, '//evil.example/x')).toMatchObject({
      target: { host: HOST, path: '/evil.example/x' },
    });
  });

  it('A017 longer than 16 KiB: 414', () => {
    const path = `/${'a'.repeat(MAX_TARGET - 1)}`;
    expect(ask(path)).toBe(path);
    expect(ask(`${path}a`)).toBe(414);
    expect(ask(`/?${'q'.repeat(MAX_TARGET)}`)).toBe(414);
  });

  it('A021 methods are compared exactly: no folding, no lower case', () => {
    expect(ask('/', 'get')).toBe(400);
    expect(ask('/', 'Get')).toBe(400);
    expect(ask('/', 'FOO')).toBe('/');
    expect(ask('/', 'HEAD')).toBe('/');
    for (const bad of ['', 'GET ', 'G ET', 'GÉT', 'A'.repeat(33), 'GET\n']) expect(ask('/', bad)).toBe(400);
    for (const method of METHODS) expect(ask('/', method)).toBe(method === 'CONNECT' || method === 'TRACE' ? 405 : '/');
  });

  it('A030 A031 one host, however it is spelt', () => {
    for (const host of ['app.example.', 'APP.EXAMPLE', 'app.example:443', 'app.example:8443', 'app.example:'])
      expect(parseTarget('GET', host, '/')).toMatchObject({ target: { host: HOST } });
  });

  it.each(['a@b', 'a b', 'a/b', 'a,b', '', 'a, b', 'app.example, app.example'])('A033 Host %j: 400', (host) => {
    expect(faultOf('GET', host, '/')).toBe('BadHost');
    expect(ask('/', 'GET', host)).toBe(400);
  });

  it.each(['/a b', '/a?b c', '/a\tb', '/é', '/?é', '/?\u0000', '/?\u007f', '/\u212A'])('refuses %j', (target) => {
    expect(ask(target)).toBe(400);
  });

  it('whatever comes in, what goes on is safe to forward and reads the same again', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc
        .array(
          fc.constantFrom(
            '/',
            '..',
            '%2e',
            '%2f',
            '?',
            '#',
            ';',
            '\\',
            'http://',
            HOST,
            ':80',
            '@',
            'a',
            '%',
            '*',
            ' ',
          ),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom('GET', 'OPTIONS', 'FOO'), fc.string()),
        fc.oneof(fc.constant(HOST), text),
        text,
        (method, host, target) => {
          const parsed = parseTarget(method, host, target);
          if (!parsed.ok) {
            expect([400, 405, 414]).toContain(TARGET_FAULT_STATUS[parsed.fault]);
            return;
          }
          const line = parsed.target.path + parsed.target.query;
          expect(line).toMatch(/^\/[!-~]*$/);
          expect(line).not.toMatch(/[#\\]/);
          expect(line).not.toMatch(/^\/\//);
          expect(parseTarget(method, parsed.target.host, line)).toEqual(parsed);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
