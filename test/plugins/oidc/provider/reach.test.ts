import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AddressPolicy } from '../../../../src/resources/address-policy.ts';
import { parseCidr } from '../../../../src/resources/address-policy.ts';
import { type FakeProvider, startFakeProvider } from '../../../support/fake-provider.ts';
import { config, login, ready, settled, stopAll, subject } from './support.ts';

/** What names resolve to, changed by the tests as an attacker would change his zone. */
const names = new Map<string, readonly string[]>();
let lookups = 0;

vi.mock('node:dns', () => ({
  lookup(name: string, _options: unknown, callback: (error: Error | null, found: readonly unknown[]) => void) {
    lookups += 1;
    const found = names.get(name) ?? [];
    const error = found.length === 0 ? Object.assign(new Error('not found'), { code: 'ENOTFOUND' }) : null;
    callback(
      error,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  },
}));

const PUBLIC: AddressPolicy = { kind: 'Public' };
const listed = (...cidrs: readonly string[]): AddressPolicy => ({
  kind: 'Listed',
  cidrs: cidrs.flatMap((text) => parseCidr(text) ?? []),
});

let fake: FakeProvider;
beforeEach(async () => {
  fake = await startFakeProvider();
  names.clear();
  lookups = 0;
});
afterEach(async () => {
  stopAll();
  await fake.close();
});
const port = (): string => new URL(fake.origin).port;

describe('A117 --provider-addresses Public', () => {
  it.each(['127.0.0.1', '[::1]', '10.0.0.1', '192.168.1.1', '172.16.0.1', '[fd00::1]', '[::ffff:10.0.0.1]', '0.0.0.0'])(
    'a provider at %s is not called',
    async (host) => {
      const status = await settled(subject(config(`http://${host}:${port()}`), { addresses: PUBLIC }));
      expect(status).toMatchObject({
        status: 'False',
        reason: 'AddressNotAllowed',
        message: expect.stringMatching(/not public.*--provider-addresses/),
      });
      expect(fake.requests).toEqual([]);
    },
  );

  it.each([
    ['loopback', ['127.0.0.1']],
    ['private', ['10.1.2.3']],
    ['private in IPv6', ['fd00::1']],
    ['both public and loopback', ['198.51.200.1', '127.0.0.1']],
    ['IPv4 written as IPv6', ['::ffff:127.0.0.1']],
  ])('a name that is %s once resolved is not called', async (_name, addresses) => {
    names.set('idp.example', addresses);
    const made = subject(config(`http://idp.example:${port()}`), { addresses: PUBLIC });
    const status = await settled(made);
    expect(status).toMatchObject({ reason: 'AddressNotAllowed', message: expect.stringContaining('not public') });
    // Whoever reads the status isn't told what the cluster's name server said.
    for (const address of addresses) expect(status.message).not.toContain(address);
    expect(fake.requests).toEqual([]);
  });

  it('localhost is not called, however it is written', async () => {
    for (const host of ['localhost', 'a.localhost', 'LOCALHOST']) {
      const made = subject(config(`http://${host}:${port()}`), { addresses: PUBLIC });
      expect(await settled(made)).toMatchObject({ reason: 'AddressNotAllowed' });
    }
    expect(lookups).toBe(0);
  });

  it.each(['token_endpoint', 'jwks_uri'])(
    'a %s at a private address is refused when it is discovered',
    async (name) => {
      fake.metadata = { [name]: 'https://10.0.0.1/x' };
      const status = await settled(subject(config(fake.issuer), { addresses: listed('127.0.0.1') }));
      expect(status).toMatchObject({ reason: 'AddressNotAllowed', message: expect.stringContaining(name) });
    },
  );

  it('browsers may be sent to a private address all the same', async () => {
    fake.metadata = {
      authorization_endpoint: 'http://10.0.0.1/authorize',
      end_session_endpoint: 'http://10.0.0.1/bye',
    };
    await ready(config(fake.issuer), { addresses: listed('127.0.0.1') });
  });
});

describe('A117 DNS rebinding', () => {
  it('the address that was checked is the one that is connected to: a name is resolved once for each connect', async () => {
    names.set('idp.example', ['127.0.0.1']);
    const token = `http://idp.example:${port()}/token`;
    const endpoints = { authorization: undefined, token, jwks: undefined, endSession: undefined };
    const made = await ready(config(fake.issuer, { endpoints }), { addresses: listed('127.0.0.1') });
    expect((await login(fake, made)).ok).toBe(true);
    expect(lookups).toBe(1);
  });

  it('a name that turns private between two calls is refused at the next', async () => {
    names.set('idp.example', ['127.0.0.1']);
    const token = `http://idp.example:${port()}/token`;
    const endpoints = { authorization: undefined, token, jwks: undefined, endSession: undefined };
    const made = await ready(config(fake.issuer, { endpoints }), { addresses: listed('127.0.0.1') });
    names.set('idp.example', ['127.0.0.2']);
    const before = fake.requests.length;
    expect(await login(fake, made)).toMatchObject({ ok: false, failure: 'bad_response' });
    expect(fake.requests.length).toBe(before);
  });
});

describe('A174 listeners of this process', () => {
  const own = () => ({ isOwn: (address: string, at: number) => address === '127.0.0.1' && at === Number(port()) });

  it('are not called under any policy, by address or by name', async () => {
    names.set('idp.example', ['127.0.0.1']);
    for (const host of ['127.0.0.1', 'idp.example', 'localhost']) {
      const made = subject(config(`http://${host}:${port()}`), own());
      expect(await settled(made)).toMatchObject({
        reason: 'AddressNotAllowed',
        message: expect.stringContaining('this gateway itself'),
      });
    }
    expect(fake.requests).toEqual([]);
  });

  it('as the token endpoint neither', async () => {
    const other = await startFakeProvider();
    other.metadata = { token_endpoint: `${fake.origin}/token` };
    expect(await settled(subject(config(other.issuer), own()))).toMatchObject({ reason: 'AddressNotAllowed' });
    await other.close();
  });
});

it('an address that is listed is called', async () => {
  await ready(config(fake.issuer), { addresses: listed('127.0.0.0/8') });
});
