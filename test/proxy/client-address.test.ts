import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientAddresses } from '../../src/proxy/client-address.ts';
import { forwardedLine } from '../../src/proxy/forwarded.ts';
import { type Cidr, parseCidr } from '../../src/resources/address-policy.ts';
import { askOnce } from '../support/raw-client.ts';
import { startGateway } from './support/gateway.ts';
import { startUpstream } from './support/upstream.ts';

const cidrs = (...texts: readonly string[]): readonly Cidr[] =>
  texts.map((text) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new Error(text);
    return cidr;
  });
const clients = new ClientAddresses(cidrs('10.0.0.0/8', 'fd00::/8'));

describe('the address of a client', () => {
  it('A050 A003 a peer that is not listed is the client, whatever it says', () => {
    expect(clients.trace('192.0.2.9', '6.6.6.6, 10.0.0.1')).toEqual({
      client: '192.0.2.9',
      forwardedFor: '192.0.2.9',
    });
    expect(clients.trace('', '6.6.6.6')).toEqual({ client: '', forwardedFor: '' });
  });

  it.each([
    ['one hop', '198.51.100.1', '198.51.100.1', '198.51.100.1, 10.0.0.1'],
    ['what the client wrote itself stays behind', '6.6.6.6, 198.51.100.1', '198.51.100.1', '198.51.100.1, 10.0.0.1'],
    ['a chain of trusted ones', '6.6.6.6,198.51.100.1 ,\t10.2.3.4', '198.51.100.1', '198.51.100.1, 10.2.3.4, 10.0.0.1'],
    ['trusted to the end', '10.1.1.1, fd00::5', '10.1.1.1', '10.1.1.1, fd00::5, 10.0.0.1'],
    ['with ports', '198.51.100.1:4711, [fd00::5]:80', '198.51.100.1', '198.51.100.1, fd00::5, 10.0.0.1'],
    ['IPv6 in any spelling', '2001:DB8:0:0::1', '2001:db8::1', '2001:db8::1, 10.0.0.1'],
    ['IPv4 as IPv6', '198.51.100.1, ::ffff:10.0.0.7', '198.51.100.1', '198.51.100.1, 10.0.0.7, 10.0.0.1'],
    ['nothing', undefined, '10.0.0.1', '10.0.0.1'],
    ['empty', '', '10.0.0.1', '10.0.0.1'],
    ['no address', '198.51.100.1, unknown', '10.0.0.1', '10.0.0.1'],
    ['no address behind a trusted one', '_hidden, 10.2.3.4', '10.2.3.4', '10.2.3.4, 10.0.0.1'],
    ['a number that resolvers read as an address', '2130706433', '10.0.0.1', '10.0.0.1'],
  ])('A050 of a trusted peer: %s', (_what, header, client, forwardedFor) => {
    expect(clients.trace('10.0.0.1', header)).toEqual({ client, forwardedFor });
  });

  it('A050 nothing that stands left of the first untrusted address has any effect', () => {
    const rest = fc.string({ maxLength: 40 });
    fc.assert(
      fc.property(rest, (left) => {
        expect(clients.trace('10.0.0.1', `${left},198.51.100.1, 10.9.9.9`)).toEqual({
          client: '198.51.100.1',
          forwardedFor: '198.51.100.1, 10.9.9.9, 10.0.0.1',
        });
      }),
    );
  });

  it('A165 a chain of nothing but trusted addresses is followed up to a bound', () => {
    const { forwardedFor } = clients.trace('10.0.0.1', Array.from({ length: 3000 }, () => '10.0.0.2').join(','));
    expect(forwardedFor.split(',').length).toBeLessThan(50);
  });
});

describe('trusted proxies, on the wire', () => {
  const get = (more: string): string => `GET /x HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`;
  const SENT =
    'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: evil.example\r\n' +
    'X-Forwarded-Port: 81\r\nX_Forwarded_For: 7.7.7.7\r\nForwarded: for=8.8.8.8;host=evil.example\r\nX-Real-IP: 8.8.8.8\r\n' +
    'X-Forwarded-Uri: /public\r\nX-Forwarded-Prefix: //evil\r\nX-Original-URL: /y\r\n';

  it.each([
    ['nobody is trusted unless it is said', [], '127.0.0.1', '127.0.0.1'],
    ['a peer that is not listed', ['10.0.0.0/8'], '127.0.0.1', '127.0.0.1'],
    ['a trusted peer', ['127.0.0.0/8'], '198.51.100.1', '198.51.100.1, 127.0.0.1'],
  ])('A050 A037 A003 %s', async (_what, trusted, client, forwardedFor) => {
    const upstream = await startUpstream();
    const gateway = await startGateway({ port: upstream.port, trustedProxies: cidrs(...trusted) });
    await askOnce(gateway.port, get(SENT));
    const [seen] = upstream.seen;
    expect(seen?.all('x-forwarded-for')).toEqual([forwardedFor]);
    // The outside address is configuration under any proxy.
    expect(seen?.all('x-forwarded-proto')).toEqual(['https']);
    expect(seen?.all('x-forwarded-host')).toEqual(['app.example']);
    expect(seen?.all('x-forwarded-port')).toEqual(['443']);
    expect(seen?.target).toBe('/x');
    expect(upstream.bytes.join('')).not.toMatch(/6\.6\.6\.6|7\.7\.7\.7|8\.8\.8\.8|evil|public/);
    expect(gateway.records[0]?.client).toBe(client);
    await gateway.close();
    await upstream.close();
  });
});

describe('Forwarded (RFC 7239)', () => {
  it.each([
    ['one address', '198.51.100.1', 'app.example', 'for=198.51.100.1;host="app.example";proto=https'],
    [
      'a chain, with IPv6 and a port',
      '2001:db8::1, 10.0.0.2, fd00::1',
      'app.example:8443',
      'for="[2001:db8::1]";host="app.example:8443";proto=https, for=10.0.0.2, for="[fd00::1]"',
    ],
    ['nobody knows', 'unknown', 'app.example', 'for=unknown;host="app.example";proto=https'],
    ['no address', '', 'app.example', 'for=unknown;host="app.example";proto=https'],
  ])('%s', (_what, forwardedFor, outside, value) => {
    expect(forwardedLine(forwardedFor, outside, 'https')).toBe(`Forwarded: ${value}\r\n`);
  });

  it.each([true, false])(
    'A050 A037 what a client sends goes no further; ours is there where asked: %s',
    async (asked) => {
      const upstream = await startUpstream();
      const gateway = await startGateway({
        port: upstream.port,
        trustedProxies: cidrs('127.0.0.0/8'),
        forwardedHeader: asked,
      });
      await askOnce(
        gateway.port,
        'GET /x HTTP/1.1\r\nHost: app.example\r\nX-Forwarded-For: 198.51.100.1\r\nForwarded: for=6.6.6.6;host=evil.example\r\nForwarded: for=7.7.7.7\r\nConnection: forwarded\r\n\r\n',
      );
      expect(upstream.seen[0]?.all('forwarded')).toEqual(
        asked ? ['for=198.51.100.1;host="app.example";proto=https, for=127.0.0.1'] : [],
      );
      expect(upstream.bytes.join('')).not.toMatch(/6\.6\.6\.6|7\.7\.7\.7|evil/);
      await gateway.close();
      await upstream.close();
    },
  );
});
