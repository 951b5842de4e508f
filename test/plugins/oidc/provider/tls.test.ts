import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, privateAuthority } from '../../../support/certificates.ts';
import { type FakeProvider, startFakeProvider } from '../../../support/fake-provider.ts';
import { openssl } from '../../../support/parts.ts';
import { config, login, ready, settled, stopAll, subject } from './support.ts';

describe.skipIf(openssl.missing)(`a provider over TLS with a private CA ${openssl.why}`, () => {
  let authority: Authority;
  let other: Authority;
  let fake: FakeProvider;
  const insecure = { httpCookies: false, httpProvider: false };

  beforeAll(async () => {
    authority = privateAuthority('the right CA');
    other = privateAuthority('another CA');
    fake = await startFakeProvider({ tls: authority.issue(['IP:127.0.0.1']) });
  });
  afterAll(async () => {
    await fake.close();
    authority.remove();
    other.remove();
  });
  afterEach(stopAll);

  it('works with its CA, from discovery to the token', async () => {
    const made = await ready(config(fake.issuer, { insecure, ca: authority.ca }));
    expect((await login(fake, made)).ok).toBe(true);
  });

  it('works where the CA is one of several', async () => {
    await ready(config(fake.issuer, { insecure, ca: `${other.ca}\n${authority.ca}` }));
  });

  it.each([
    ['no CA is configured', () => undefined],
    ['another CA is configured', () => other.ca],
  ])('is refused where %s, and the status says what to do', async (_name, ca) => {
    const status = await settled(subject(config(fake.issuer, { insecure, ca: ca() })));
    expect(status).toMatchObject({
      status: 'False',
      reason: 'TLSVerificationFailed',
      message: expect.stringMatching(/well-known.*could not be verified.*tls\.caRef/),
    });
  });

  it('insecure.httpProvider does not switch verification off', async () => {
    const both = { httpCookies: true, httpProvider: true };
    expect(await settled(subject(config(fake.issuer, { insecure: both })))).toMatchObject({
      reason: 'TLSVerificationFailed',
    });
  });

  it.each([
    ['another name', { names: ['DNS:other.example'], expired: false }],
    ['a date that is over', { names: ['IP:127.0.0.1'], expired: true }],
  ])('is refused with a certificate for %s', async (_name, { names, expired }) => {
    const wrong = await startFakeProvider({ tls: authority.issue(names, { expired }) });
    expect(await settled(subject(config(wrong.issuer, { insecure, ca: authority.ca })))).toMatchObject({
      reason: 'TLSVerificationFailed',
    });
    expect(wrong.requests).toEqual([]);
    await wrong.close();
  });

  it('A117 plain http endpoints of a provider over https are refused', async () => {
    fake.metadata = { token_endpoint: 'http://127.0.0.1:1/token' };
    expect(await settled(subject(config(fake.issuer, { insecure, ca: authority.ca })))).toMatchObject({
      reason: 'DiscoveryFailed',
      message: expect.stringContaining('token_endpoint'),
    });
    fake.metadata = {};
  });

  it('plain http on the port is told as what it is', async () => {
    const plain = await startFakeProvider();
    const issuer = plain.issuer.replace('http:', 'https:');
    expect(await settled(subject(config(issuer, { insecure })))).toMatchObject({
      reason: 'DiscoveryFailed',
      message: expect.stringContaining('TLS'),
    });
    await plain.close();
  });
});
