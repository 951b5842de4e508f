import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHead, type GateResult } from '../../src/proxy/gate.ts';
import { headerClassifier } from '../../src/proxy/header-class.ts';
import { DEFAULT_LIMITS } from '../../src/proxy/limits.ts';
import { identityHeaders } from '../../src/resources/identity-headers.ts';

const classify = headerClassifier(identityHeaders([]));
const gate = (headers: readonly string[], version = '1.1', target = '/'): GateResult =>
  checkHead(
    { method: 'POST', target, version, headers: ['Host', 'app.example', ...headers], valuesChecked: false },
    classify,
    DEFAULT_LIMITS,
  );
const statusOf = (result: GateResult): number => (result.ok ? 200 : result.fault.status);

describe('the gate', () => {
  it('derives one framing', () => {
    const framing = (...headers: string[]) => {
      const result = gate(headers);
      return result.ok ? result.head.framing : result.fault;
    };
    expect(framing()).toEqual({ kind: 'None' });
    expect(framing('Content-Length', '0')).toEqual({ kind: 'None' });
    expect(framing('content-length', '0010')).toEqual({ kind: 'Length', bytes: 10 });
    expect(framing('Transfer-Encoding', 'chunked')).toEqual({ kind: 'Chunked' });
  });

  it.each([
    [['Content-Length', '1', 'Transfer-Encoding', 'chunked']],
    [['Transfer-Encoding', 'chunked', 'Content-Length', '1']],
    [['Content-Length', '1', 'Content-Length', '1']],
    [['Content-Length', '1', 'content-length', '2']],
    [['Content-Length', '1, 1']],
    [['Content-Length', '+1']],
    [['Content-Length', '-1']],
    [['Content-Length', '0x1']],
    [['Content-Length', '1 ']],
    [['Content-Length', '']],
    [['Content-Length', '12345678901234567890']],
    [['Content-Length', '１']],
  ])('A060 two framings, two lengths, or a length that is none: %j', (headers) => {
    expect(statusOf(gate(headers))).toBe(400);
  });

  it.each([
    'xchunked',
    '"chunked"',
    'identity',
    'identity, chunked',
    'chunked, chunked',
    'gzip, chunked',
    'chunked;q=1',
    ' chunked',
    'chunked\t',
    '',
    'Chunked',
  ])('A061 a transfer coding other than exactly chunked: %j', (coding) => {
    expect(statusOf(gate(['Transfer-Encoding', coding]))).toBe(400);
  });

  it('A061 two Transfer-Encoding lines', () => {
    expect(statusOf(gate(['Transfer-Encoding', 'chunked', 'transfer-encoding', 'chunked']))).toBe(400);
  });

  it('A063 chunked on HTTP/1.0', () => {
    expect(statusOf(gate(['Transfer-Encoding', 'chunked'], '1.0'))).toBe(400);
  });

  it('A067 Expect: exactly 100-continue on 1.1, nothing on 1.0', () => {
    for (const value of ['y', '100-continue, x', 'x100-continue', '100-continue;a', '', '100']) {
      expect(statusOf(gate(['Expect', value])), value).toBe(417);
    }
    const yes = gate(['Expect', '100-Continue', 'Content-Length', '1']);
    expect(yes.ok && yes.head.expectContinue).toBe(true);
    const old = gate(['Expect', '100-continue', 'Content-Length', '1'], '1.0');
    expect(old.ok && !old.head.expectContinue).toBe(true);
    expect(statusOf(gate(['Expect', '100-continue', 'expect', '100-continue']))).toBe(400);
  });

  it('A071 no version but 1.0 and 1.1', () => {
    for (const version of ['2.0', '0.9', '1.2', '']) expect(statusOf(gate([], version)), version).toBe(505);
  });

  it('A032 A033 exactly one Host, not empty', () => {
    const check = (...headers: string[]): number =>
      statusOf(
        checkHead(
          { method: 'GET', target: '/', version: '1.1', headers, valuesChecked: false },
          classify,
          DEFAULT_LIMITS,
        ),
      );
    expect(check()).toBe(400);
    expect(check('Host', '')).toBe(400);
    expect(check('Host', 'a', 'host', 'a')).toBe(400);
    expect(check('Host', 'a')).toBe(200);
  });

  it('T14 duplicates of what may stand only once', () => {
    for (const name of [
      'Authorization',
      'Content-Type',
      'User-Agent',
      'Sec-Fetch-Mode',
      'Range',
      'Proxy-Authorization',
    ]) {
      expect(statusOf(gate([name, 'a', name.toLowerCase(), 'a'])), name).toBe(400);
    }
    expect(statusOf(gate(['Cookie', 'a=1', 'Cookie', 'b=2', 'Accept', 'a', 'Accept', 'b']))).toBe(200);
  });

  it('A074 A017 numbers and sizes', () => {
    const many = Array.from({ length: 3000 }, (_, i) => [`X-${i}`, 'a']).flat();
    expect(statusOf(gate(many))).toBe(431);
    expect(statusOf(gate(['X', 'a'.repeat(33_000)]))).toBe(431);
    expect(statusOf(gate([], '1.1', `/${'a'.repeat(16_384)}`))).toBe(414);
  });

  it('takes names that are tokens and values that are fields, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.string({ unit: 'binary', maxLength: 8 }),
        (name, value) => {
          const result = checkHead(
            {
              method: 'GET',
              target: '/',
              version: '1.1',
              headers: ['Host', 'a', `X${name}`, value],
              valuesChecked: false,
            },
            classify,
            DEFAULT_LIMITS,
          );
          const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]*$/.test(name);
          const field = /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
          expect(result.ok).toBe(token && field);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
