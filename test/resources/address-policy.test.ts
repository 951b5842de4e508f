import { describe, expect, it } from 'vitest';
import {
  type AddressPolicy,
  inCidr,
  isAddressAllowed,
  isEndpointAddress,
  parseCidr,
} from '../../src/resources/address-policy.ts';
import { canonicalAddress } from '../../src/resources/ip.ts';

const listed = (...texts: readonly string[]): AddressPolicy => ({
  kind: 'Listed',
  cidrs: texts.flatMap((text) => parseCidr(text) ?? []),
});

describe('address policies', () => {
  it.each([
    '169.254.169.254',
    '169.254.0.1',
    'fe80::1',
    'febf::1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::169.254.169.254',
    'fd00:ec2::254',
    'fd20:ce::254',
    '::169.254.169.254',
    '2002:a9fe:a9fe::1',
    '::ffff:0:169.254.169.254',
    '64:ff9b:1::169.254.169.254',
    '64:ff9b:1:a9fe:a9:fe00::',
    '64:ff9b:1:a9:fe:a9fe::',
    '64:ff9b:1::a9:fea9:fe00:0',
  ])('A174: link-local %s is reached under no policy', (address) => {
    for (const policy of [{ kind: 'Any' }, { kind: 'Public' }, listed('0.0.0.0/0', '::/0')] as const)
      expect(isAddressAllowed(address, policy)).toBe(false);
  });

  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    '::',
    'fd12::1',
    'fc00::1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '168.63.129.16',
    '224.0.0.1',
    '255.255.255.255',
  ])('A174: %s is not public', (address) => {
    expect(isAddressAllowed(address, { kind: 'Public' })).toBe(false);
    expect(isAddressAllowed(address, { kind: 'Any' })).toBe(true);
  });

  it.each(['8.8.8.8', '172.32.0.1', '11.0.0.1', '2606:4700::1111', '2a00::1', '64:ff9b::808:808'])(
    '%s is public',
    (address) => {
      expect(isAddressAllowed(address, { kind: 'Public' })).toBe(true);
      expect(isAddressAllowed(address, listed('10.0.0.0/8'))).toBe(true);
    },
  );

  it('lists add to what is public', () => {
    const policy = listed('10.1.0.0/16', 'fd00:1::/32', '127.0.0.1');
    for (const address of ['10.1.2.3', 'fd00:1:2::3', '127.0.0.1', '::ffff:10.1.2.3'])
      expect(isAddressAllowed(address, policy)).toBe(true);
    for (const address of ['10.2.0.1', 'fd00:2::1', '127.0.0.2']) expect(isAddressAllowed(address, policy)).toBe(false);
  });

  it.each(['localhost', 'example.com', '', '127.1', '0x7f.1', '1.2.3.4:80', '[::1]', 'fe80::1%eth0'])(
    'what is no address isn’t allowed: %s',
    (text) => {
      expect(isAddressAllowed(text, { kind: 'Any' })).toBe(false);
    },
  );

  it.each([
    '10.0.0.0/33',
    '10.0.0.1/8',
    '10.0.0.0/08',
    '10.0.0/8',
    'fd00::/129',
    'fd00::1/64',
    'x',
    '1.2.3.4/',
    '1.2.3.4/8/8',
  ])('%s is no CIDR', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  it('families are not mixed', () => {
    const all4 = parseCidr('0.0.0.0/0');
    if (all4 === undefined) throw new Error('0.0.0.0/0 is one');
    expect(inCidr('2a00::1', all4)).toBe(false);
    expect(inCidr('1.2.3.4', all4)).toBe(true);
  });

  it.each(['10.0.0.1', '192.168.1.1', '8.8.8.8', '100.64.0.1', '240.0.0.1', 'fd00::1', '2a00::1'])(
    'a Pod may be at %s',
    (address) => {
      expect(isEndpointAddress(address)).toBe(true);
    },
  );

  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    'localhost',
    '2130706433',
    '0x7f000001',
    '127.1',
    '',
  ])('A174: no endpoint of a Service is at %s', (address) => {
    expect(isEndpointAddress(address)).toBe(false);
  });
});

it.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['0:0:0:0:0:FFFF:0a00:0001', '10.0.0.1'],
  ['64:ff9b::a00:1', '10.0.0.1'],
  ['FD00:0:0::1', 'fd00::1'],
  ['10.0.0.01', undefined],
  ['example.com', undefined],
])('%s is compared as %s', (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical);
});
