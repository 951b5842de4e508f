import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { proxyFor, readEgressProxy, readProxyRules } from '../../src/resources/egress-proxy.ts';

const rules = (noProxy: string, both = 'http://proxy.example:3128') => {
  const read = readProxyRules({ httpsProxy: both, httpProxy: both, noProxy });
  if (!read.ok) throw new Error(read.faults.join());
  return read.rules;
};
const direct = (noProxy: string, host: string, port = 443): boolean =>
  proxyFor(rules(noProxy), { scheme: 'https', host, port }) === undefined;

describe('the address of a proxy', () => {
  it.each([
    ['http://proxy.example:3128', { scheme: 'http', host: 'proxy.example', port: 3128 }],
    ['http://proxy.example', { scheme: 'http', host: 'proxy.example', port: 80 }],
    ['https://proxy.example/', { scheme: 'https', host: 'proxy.example', port: 443 }],
    ['proxy.example:3128', { scheme: 'http', host: 'proxy.example', port: 3128 }],
    ['http://[::1]:3128', { scheme: 'http', host: '::1', port: 3128 }],
    ['http://0x7f.1:3128', { scheme: 'http', host: '127.0.0.1', port: 3128 }],
  ])('%s', (text, expected) => {
    expect(readEgressProxy(text)).toMatchObject({ ok: true, proxy: expected });
  });

  it('keeps credentials where nothing prints them', () => {
    const read = readEgressProxy('http://us%40er:pa%3Ass@proxy.example:3128');
    if (!read.ok) throw new Error(read.fault);
    expect(read.proxy.credentials?.reveal()).toBe('us@er:pa:ss');
    expect(JSON.stringify(read) + inspect(read, { depth: 9 })).not.toMatch(/pa:ss|pa%3Ass|us@er/);
  });

  it.each(['', 'socks5://proxy.example', 'http://', 'http://a/path', 'http://a/?b', 'http://a#b', 'http://a:99999'])(
    '%j is none, and the fault repeats nothing of it',
    (text) => {
      expect(readEgressProxy(text).ok).toBe(false);
    },
  );

  it('a password is in no fault', () => {
    const read = readProxyRules({ httpsProxy: 'ftp://u:hunter2@a', httpProxy: 'http://u:%zzhunter2@a', noProxy: '' });
    expect(read).toEqual({ ok: false, faults: [expect.stringMatching(/^HTTPS_PROXY /), expect.any(String)] });
    expect(JSON.stringify(read)).not.toContain('hunter2');
  });

  it('empty variables count as unset', () => {
    expect(readProxyRules({ httpsProxy: ' ', httpProxy: '', noProxy: undefined })).toEqual({
      ok: true,
      rules: { forHttps: undefined, forHttp: undefined, exceptions: [] },
    });
  });
});

describe('NO_PROXY', () => {
  it.each([
    ['', 'idp.example', false],
    ['*', 'idp.example', true],
    ['idp.example', 'idp.example', true],
    ['IDP.Example', 'idp.example', true],
    ['idp.example', 'IDP.example.', true],
    ['idp.example', 'a.idp.example', true],
    ['idp.example', 'notidp.example', false],
    ['.example', 'idp.example', true],
    ['*.example', 'idp.example', true],
    ['.idp.example', 'idp.example', false],
    ['.svc,.cluster.local', 'keycloak.idp.svc', true],
    ['a.example b.example', 'b.example', true],
    ['a.example, b.example', 'b.example', true],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['192.0.2.1', '192.0.2.1', true],
    ['fd00::/8', 'fd00::1', true],
    ['[fd00::1]', 'fd00::1', true],
    ['idp.example:443', 'idp.example', true],
    ['idp.example:8443', 'idp.example', false],
    ['[fd00::1]:8443', 'fd00::1', false],
    ['', 'localhost', true],
    ['', 'a.localhost', true],
    ['', '127.0.0.1', true],
    ['', '::1', true],
    ['', 'localhost.example', false],
  ])('%j: %s without a proxy is %s', (noProxy, host, expected) => {
    expect(direct(noProxy, host)).toBe(expected);
  });

  it('each scheme has its proxy', () => {
    const read = readProxyRules({ httpsProxy: 'http://a:1', httpProxy: undefined, noProxy: undefined });
    if (!read.ok) throw new Error(read.faults.join());
    expect(proxyFor(read.rules, { scheme: 'https', host: 'idp.example', port: 443 })).toMatchObject({ host: 'a' });
    expect(proxyFor(read.rules, { scheme: 'http', host: 'idp.example', port: 80 })).toBeUndefined();
  });
});
