import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packStatus, unpackStatus } from '../../../src/sources/kubernetes/packed-status.ts';

const text = fc.constantFrom('Accepted', 'Ready', 'True', 'False', '', '~', 'a message', '2026-01-01T00:00:00Z');
const condition = fc.record({
  type: text,
  status: text,
  reason: text,
  message: text,
  observedGeneration: fc.nat(3),
  lastTransitionTime: text,
});
const oddOnes = fc.oneof(fc.jsonValue(), fc.record({ type: text, status: text }), fc.array(text));

describe('a packed status', () => {
  it('is the same JSON again', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.array(condition), fc.array(fc.oneof(condition, oddOnes))),
        fc.jsonValue(),
        (list, more) => {
          const status = { exposure: 'Protected', conditions: list, more };
          expect(unpackStatus(packStatus(status))).toEqual(JSON.parse(JSON.stringify(status)));
        },
      ),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (status) => {
        expect(unpackStatus(packStatus(status))).toEqual(JSON.parse(JSON.stringify(status)));
      }),
    );
    expect(unpackStatus(packStatus(undefined))).toBeUndefined();
  });

  it('says once what conditions that were written together have in common', () => {
    const common = { message: '', observedGeneration: 2, lastTransitionTime: '2026-01-01T00:00:00Z', status: 'True' };
    const conditions = ['Accepted', 'Programmed', 'Ready'].map((type) => ({ ...common, type, reason: type }));
    const packed = packStatus({ conditions }) ?? '';
    expect(packed.match(/2026/g)).toHaveLength(1);
    expect(packed.length).toBeLessThan(JSON.stringify({ conditions }).length / 2);
  });
});
