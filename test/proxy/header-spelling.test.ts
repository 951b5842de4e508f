import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerClassifier } from '../../src/proxy/header-class.ts';
import { identityHeaders } from '../../src/resources/identity-headers.ts';

const classify = headerClassifier(identityHeaders(['X-Company-*']));

/** Of RFC 9110 section 5.6.2, what is neither letter nor digit. */
const PUNCTUATION = [..."!#$%&'*+-.^_`|~"];
const GUARDED = ['x-forwarded-user', 'remote-user', 'x-auth-request-email', 'x-postern-y', 'x-company-id'];
const OURS = [
  'x-forwarded-for',
  'x-real-ip',
  'transfer-encoding',
  'content-length',
  'x-original-url',
  'proxy-authorization',
];

const spelled = (names: readonly string[]) =>
  fc
    .constantFrom(...names)
    .chain((name) => fc.tuple(...[...name].map((c) => (c === '-' ? fc.constantFrom(...PUNCTUATION) : fc.constant(c)))))
    .map((characters) => characters.join(''));

describe('spellings of header names', () => {
  it('A040 a name is guarded with any punctuation, for there are servers that fold all of it to _', () => {
    fc.assert(
      fc.property(spelled(GUARDED), (name) => {
        expect(classify(name).kind).toBe('Identity');
      }),
    );
  });

  it('A040 A050 what only Postern writes is dropped with any other punctuation', () => {
    fc.assert(
      fc.property(
        spelled(OURS).filter((name) => !OURS.includes(name)),
        (name) => {
          expect(classify(name).kind).toBe('Drop');
        },
      ),
    );
  });

  it('other names pass as they are', () => {
    for (const name of ['X-Request-Ids', 'X-Forwarder', 'Accept', 'x_csrf~token'])
      expect(classify(name).kind).toBe('Pass');
  });
});
