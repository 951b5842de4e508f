import { afterEach, expect, it, vi } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../../../support/fake-provider.ts';
import { config, login, ready, settled, stopAll, subject } from './support.ts';

/** What names resolve to; the test's own, for no real name server gives a link-local address. */
const names = new Map<string, readonly { readonly address: string; readonly family: number }[]>();

vi.mock('node:dns', () => ({
  lookup(
    name: string,
    _options: unknown,
    callback: (
      error: Error | null,
      addresses: readonly { readonly address: string; readonly family: number }[],
    ) => void,
  ) {
    const found = names.get(name);
    if (found === undefined) callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []);
    else callback(null, found);
  },
}));

let fake: FakeProvider | undefined;
afterEach(async () => {
  stopAll();
  await fake?.close();
});

it.each([
  ['link-local', [{ address: '169.254.169.254', family: 4 }]],
  ['link-local in IPv6', [{ address: 'fe80::1', family: 6 }]],
  [
    'link-local among others',
    [
      { address: '127.0.0.1', family: 4 },
      { address: '::ffff:169.254.169.254', family: 6 },
    ],
  ],
])('A117 a name that is %s once resolved is not called', async (_name, addresses) => {
  names.set('idp.example', addresses);
  expect(await settled(subject(config('http://idp.example:1')))).toMatchObject({
    reason: 'AddressNotAllowed',
    message: expect.stringContaining('link-local'),
  });
});

it('A117 a name that turns link-local later is refused at the next connect', async () => {
  fake = await startFakeProvider();
  names.set('idp.example', [{ address: '127.0.0.1', family: 4 }]);
  const { port } = new URL(fake.origin);
  const endpoints = {
    authorization: undefined,
    token: `http://idp.example:${port}/token`,
    jwks: undefined,
    endSession: undefined,
  };
  const made = await ready(config(fake.issuer, { endpoints }));
  expect((await login(fake, made)).ok).toBe(true);
  names.set('idp.example', [{ address: '169.254.169.254', family: 4 }]);
  expect(await login(fake, made)).toMatchObject({ ok: false, failure: 'bad_response' });
});

it('a name that is not found is told', async () => {
  expect(await settled(subject(config('http://missing.example:1')))).toMatchObject({
    reason: 'DiscoveryFailed',
    message: expect.stringContaining('not found (ENOTFOUND)'),
  });
});
