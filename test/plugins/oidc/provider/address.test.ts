import { describe, expect, it } from 'vitest';
import { checkProviderUrl, isForbiddenAddress } from '../../../../src/plugins/oidc/provider/provider-address.ts';

describe('A117 addresses that are never called', () => {
  it.each([
    '169.254.169.254',
    '169.254.0.0',
    '169.254.255.255',
    'fe80::1',
    'febf::1',
    'fe80::1%eth0',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    'fd00:ec2::254',
  ])('%s', (address) => {
    expect(isForbiddenAddress(address)).toBe(true);
  });

  it.each(['169.253.255.255', '169.255.0.0', '127.0.0.1', '10.0.0.1', '::1', 'fec0::1', 'fd00::1', 'example.com', ''])(
    'but %s may be',
    (address) => {
      expect(isForbiddenAddress(address)).toBe(false);
    },
  );
});

describe('the URL of a provider', () => {
  it.each([
    'https://example.okta.com/oauth2/default',
    'https://127.0.0.1:8443',
    'https://[::1]:8443/realms/a',
    'https://example.com/a?b=c',
  ])('%s is accepted', (text) => {
    expect(checkProviderUrl(text, false).ok).toBe(true);
  });

  it.each([
    '',
    'not a url',
    'example.com',
    '//example.com',
    'https:example.com',
    'https:/example.com',
    'https:///example.com',
    'http://example.com',
    'ftp://example.com',
    'javascript:alert(1)',
    'https://user@example.com',
    'https://user:pass@example.com',
    'https://example.com/#x',
    'https://example.com#',
    'https://169.254.169.254/',
    'https://0xa9fea9fe/',
    'https://2852039166/',
    'https://[fe80::1]/',
    'https://[::ffff:169.254.169.254]/',
  ])('%j is refused', (text) => {
    expect(checkProviderUrl(text, false).ok).toBe(false);
  });

  it('plain http is accepted only where that is asked for', () => {
    expect(checkProviderUrl('http://127.0.0.1:8081', true).ok).toBe(true);
    expect(checkProviderUrl('http://169.254.169.254', true).ok).toBe(false);
  });
});
