import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOurCookie, withoutOurCookies } from '../../src/proxy/cookies.ts';
import { type CheckedHead, checkHead } from '../../src/proxy/gate.ts';
import { headerClassifier } from '../../src/proxy/header-class.ts';
import {
  authorityOf,
  clientHeaders,
  type Injection,
  NO_PLUGIN_HEADERS,
  pluginHeaders,
  upstreamHeaders as upstreamText,
} from '../../src/proxy/headers.ts';
import { DEFAULT_LIMITS } from '../../src/proxy/limits.ts';
import { parseAuthority } from '../../src/resources/hostname.ts';
import { foldHeaderName, identityHeaders } from '../../src/resources/identity-headers.ts';

const classify = headerClassifier(identityHeaders(['X-Company-User', 'X-Trace-*']));

function headOf(...headers: string[]): CheckedHead {
  const gate = checkHead(
    { method: 'GET', target: '/', version: '1.1', headers: ['Host', 'app.example', ...headers], valuesChecked: false },
    classify,
    DEFAULT_LIMITS,
  );
  if (!gate.ok) throw new Error(gate.fault.reason);
  return gate.head;
}

const injection = (more: Partial<Injection> = {}): Injection => {
  const host = parseAuthority('app.example');
  if (host === undefined) throw new Error('no host');
  return {
    authority: '10.0.0.1:8080',
    forwardedFor: '192.0.2.7',
    host,
    external: { scheme: 'https', port: 443 },
    requestId: 'r-1',
    forwardedHeader: false,
    plugins: NO_PLUGIN_HEADERS,
    removeAuthorization: false,
    ...more,
  };
};

/** The lines that go out, names and values in turn. */
const upstreamHeaders = (...args: Parameters<typeof upstreamText>): string[] =>
  upstreamText(...args)
    .split('\r\n')
    .slice(0, -1)
    .flatMap((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]);

const pairs = (flat: readonly string[]): (readonly [string, string])[] =>
  flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? ''] as const] : []));
const values = (flat: readonly string[], name: string): string[] =>
  pairs(flat)
    .filter(([key]) => foldHeaderName(key) === name)
    .map(([, value]) => value);

const OURS = [
  'Host',
  '10.0.0.1:8080',
  'X-Forwarded-For',
  '192.0.2.7',
  'X-Forwarded-Proto',
  'https',
  'X-Forwarded-Host',
  'app.example',
  'X-Forwarded-Port',
  '443',
  'X-Request-Id',
  'r-1',
  'CDN-Loop',
  'postern',
];

describe('headers to the upstream', () => {
  it('passes what is of nobody’s business but the upstream’s, byte for byte, in order', () => {
    const out = upstreamHeaders(headOf('Accept', '*/*', 'X-a_B', ' é\xff', 'ACCEPT', 'x'), injection());
    expect(out.slice(2, 8)).toEqual(['Accept', '*/*', 'X-a_B', ' é\xff', 'ACCEPT', 'x']);
  });

  it('A040 A041 removes identity headers in every spelling', () => {
    const sent = [
      'X_Forwarded_User',
      'root',
      'X_Forwarded-User',
      'root',
      'x.forwarded.user',
      'root',
      'X-FORWARDED-USER',
      'root',
      'X-Forwarded-Groups',
      'a',
      'X-Forwarded-Access-Token',
      'a',
      'X-Forwarded-Email',
      'a',
      'X-Forwarded-Preferred-Username',
      'a',
      'X-Auth-Request-User',
      'a',
      'x_auth_request_email',
      'a',
      'Remote-User',
      'a',
      'REMOTE_USER',
      'a',
      'X-Remote-Group',
      'a',
      'X-WebAuth-User',
      'a',
      'X-Postern-Anything',
      'a',
      'X.Company_User',
      'a',
      'X-Trace-Whatever',
      'a',
    ];
    expect(upstreamHeaders(headOf(...sent), injection())).toEqual(OURS);
  });

  it('A040 holds for any mixture of case, _, . and -', () => {
    const names = [
      'x-forwarded-user',
      'x-auth-request-x',
      'remote-user',
      'x-postern-y',
      'x-forwarded-for',
      'transfer-encoding',
      'content-length',
      'proxy-authorization',
      'x-real-ip',
      'keep-alive',
    ];
    const spelling = fc
      .constantFrom(...names)
      .chain((name) =>
        fc
          .tuple(
            ...[...name].map((c) => (c === '-' ? fc.constantFrom('-', '_', '.') : fc.constantFrom(c, c.toUpperCase()))),
          )
          .map((cs) => cs.join('')),
      );
    fc.assert(
      fc.property(spelling, (name) => {
        // What is spelt as framing is itself is the gate's to judge.
        fc.pre(!/^(transfer-encoding|content-length)$/i.test(name));
        expect(upstreamHeaders(headOf(name, 'x'), injection())).toEqual(OURS);
      }),
    );
  });

  it('A042 what the client nominates goes, what is injected stays, whatever the case', () => {
    const out = upstreamHeaders(
      headOf(
        'Connection',
        'close, x-forwarded-user, X-REQUEST-ID, Host',
        'connection',
        'Accept-Language',
        'Accept-Language',
        'de',
        'Accept',
        '*/*',
      ),
      injection({ plugins: pluginHeaders([{ name: 'X-Forwarded-User', value: 'alice' }], classify) }),
    );
    expect(out).toEqual(['Host', '10.0.0.1:8080', 'Accept', '*/*', ...OURS.slice(2), 'X-Forwarded-User', 'alice']);
  });

  it('A045 A050 A051 A071 hop-by-hop, forwarding and upgrade headers of the client go no further', () => {
    const sent = [
      'Trailer',
      'x',
      'TE',
      'trailers',
      'Keep-Alive',
      'timeout=5',
      'Upgrade',
      'h2c',
      'HTTP2-Settings',
      'AAA',
      'Proxy-Connection',
      'keep-alive',
      'Proxy-Authorization',
      'Basic x',
      'Proxy',
      'http://evil',
      'X-Forwarded-For',
      '6.6.6.6',
      'X-Forwarded-Proto',
      'http',
      'X-Forwarded-Host',
      'evil',
      'X-Forwarded-Prefix',
      '//evil',
      'X-Forwarded-Server',
      'a',
      'Forwarded',
      'for=6.6.6.6;host=evil',
      'X-Real-IP',
      '6.6.6.6',
      'X-Original-URL',
      '/admin',
      'X-Original-URI',
      '/admin',
      'X-Rewrite-URL',
      '/admin',
      'X-Envoy-Original-Path',
      '/',
      'X_Envoy_Internal',
      'true',
      'X-Request-Id',
      'mine',
    ];
    expect(upstreamHeaders(headOf(...sent), injection())).toEqual(OURS);
  });

  it.each([
    'X-Client-IP',
    'X-Cluster-Client-Ip',
    'True-Client-IP',
    'CF_Connecting_IP',
    'X-Host',
    'X-HTTP-Host-Override',
  ])('A050 %s says where a request came from or went to, which is ours to say', (name) => {
    expect(upstreamHeaders(headOf(name, '6.6.6.6'), injection())).toEqual(OURS);
  });

  it.each(['X-HTTP-Method-Override', 'x_http_method', 'X-Method-Override'])(
    'A021 %s makes no other method of the one that was decided about',
    (name) => {
      expect(upstreamHeaders(headOf(name, 'DELETE'), injection())).toEqual(OURS);
    },
  );

  it('A041 Authorization goes or stays as the Route says, and a plugin’s replaces it', () => {
    const head = headOf('Authorization', 'Basic x');
    expect(values(upstreamHeaders(head, injection()), 'authorization')).toEqual(['Basic x']);
    expect(values(upstreamHeaders(head, injection({ removeAuthorization: true })), 'authorization')).toEqual([]);
    const plugins = pluginHeaders([{ name: 'authorization', value: 'Bearer t' }], classify);
    expect(values(upstreamHeaders(head, injection({ plugins })), 'authorization')).toEqual(['Bearer t']);
  });

  it('A046 A047 a plugin can emit neither other headers nor values that break a line', () => {
    expect(pluginHeaders([{ name: 'X-Forwarded-User', value: 'é' }], classify).text).toBe('X-Forwarded-User: é\r\n');
    for (const value of ['a\r\nX-Admin: 1', 'a\0b', '日本', 'a\nb', '\x7f']) {
      expect(() => pluginHeaders([{ name: 'X-Forwarded-User', value }], classify), value).toThrow(/can't be sent/);
    }
    for (const name of ['X-Admin', 'Host', 'Content-Length', 'Cookie', 'X-Forwarded-For', 'a b']) {
      expect(() => pluginHeaders([{ name, value: 'a' }], classify), name).toThrow(/may not write/);
    }
  });

  it('names the port where it is not the scheme’s own', () => {
    const out = upstreamHeaders(headOf(), injection({ external: { scheme: 'http', port: 8080 } }));
    expect(values(out, 'x-forwarded-host')).toEqual(['app.example:8080']);
    expect(values(out, 'x-forwarded-port')).toEqual(['8080']);
  });

  it('writes an IPv6 upstream in brackets', () => {
    const url = { kind: 'Url', scheme: 'http', host: '::1', port: 80, basePath: '' } as const;
    expect(authorityOf(url)).toBe('[::1]');
    expect(authorityOf({ ...url, port: 81 })).toBe('[::1]:81');
    expect(authorityOf({ ...url, host: 'a.example', scheme: 'https', port: 443 })).toBe('a.example');
  });
});

describe('cookies', () => {
  it('A052 removes ours, chunks included, and leaves all others byte for byte', () => {
    const others = 'a=1;  b="x;y"; c; d=é\xff;e=%3B';
    expect(withoutOurCookies(others)).toBe(others);
    expect(withoutOurCookies('__Host-postern-s-abcdefgh=x; a=1')).toBe('a=1');
    expect(withoutOurCookies('a=1; __Host-postern-s-abcdefgh.0=x; __Host-postern-s-abcdefgh.1=y; b=2')).toBe(
      'a=1; b=2',
    );
    expect(
      withoutOurCookies('a=1; __HOST-Postern-b-abcdefgh-123456=x;postern-m-abcdefgh=1; __Secure-postern-s=1'),
    ).toBe('a=1');
    expect(withoutOurCookies('postern-s-abcdefgh=x')).toBeUndefined();
    expect(withoutOurCookies('=postern-s-abcdefgh=x; postern-s')).toBeUndefined();
    expect(withoutOurCookies('my-postern-s=x; xpostern-s=1')).toBe('my-postern-s=x; xpostern-s=1');
  });

  it('A052 any mixture of cookies keeps exactly the others, in order', () => {
    const other = fc.stringMatching(/^[a-o]{1,5}=[a-z0-9"=,]{0,9}$/);
    const ours = fc.constantFrom('__Host-postern-s-x=1', 'postern-m-x=2', ' __host-POSTERN-b-x=3', '\tpostern-s.0=4');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), other, ours), { maxLength: 12 }), (list) => {
        const sent = list.map(([isOther, a, b]) => (isOther ? a : b)).join('; ');
        const kept = list.filter(([isOther]) => isOther).map(([, a]) => a);
        expect(withoutOurCookies(sent) ?? '').toBe(kept.join('; '));
      }),
    );
  });

  it('A052 an upstream sets none of ours, under no spelling that a browser would take', () => {
    for (const cookie of [
      '__Host-postern-s-x=1; Path=/',
      ' postern-s-x=1',
      '=postern-s-x=1',
      '= __HOST-postern-s=1',
      'POSTERN-m-x=',
    ]) {
      expect(isOurCookie(cookie), cookie).toBe(true);
    }
    for (const cookie of ['sid=postern-s-x', 'xpostern-=1', '', '=']) expect(isOurCookie(cookie), cookie).toBe(false);
  });
});

describe('headers to the client', () => {
  it('drops what is of the connection, nominated, or ours', () => {
    const out = clientHeaders(
      [
        'Date',
        'Mon',
        'Connection',
        'close, X-Secret',
        'X-Secret',
        'a',
        'Keep-Alive',
        'timeout=5',
        'Transfer-Encoding',
        'chunked',
        'Content-Length',
        '5',
        'Trailer',
        'x',
        'Upgrade',
        'h2c',
        'Proxy-Authenticate',
        'Basic',
        'X-Request-Id',
        'theirs',
        'Set-Cookie',
        'a=1',
        'set-cookie',
        '__Host-postern-s-x=1',
        'Set-Cookie',
        'b=2',
        'Cache-Control',
        'public',
      ],
      [],
      'r-1',
    );
    expect(out).toEqual([
      'Date',
      'Mon',
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
      'Cache-Control',
      'public',
      'X-Request-Id',
      'r-1',
    ]);
  });

  it('A105 no cache keeps a response that carries a session', () => {
    const out = clientHeaders(
      ['Cache-Control', 'public, max-age=600', 'Expires', 'later'],
      ['__Host-postern-s-x=1'],
      'r-1',
    );
    expect(out).toEqual(['X-Request-Id', 'r-1', 'Cache-Control', 'no-store', 'Set-Cookie', '__Host-postern-s-x=1']);
  });
});

describe('header classes', () => {
  it('A165 random names are remembered up to a bound and still classified right', () => {
    const own = headerClassifier(identityHeaders([]));
    for (let i = 0; i < 10_000; i++) expect(own(`X-Random-${i}`).kind).toBe('Pass');
    expect(own('X-Forwarded-User').kind).toBe('Identity');
    expect(own('host').kind).toBe('Host');
  });

  it('T25 folds ASCII only: the Kelvin sign is no k', () => {
    expect(classify('Coo\u212Aie').kind).toBe('Invalid');
  });
});
