import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatKeyList, generateKey } from '../../src/keys/key-list.ts';
import { createKeyRing } from '../../src/keys/live-ring.ts';
import { associatedData, open, seal } from '../../src/keys/seal.ts';

const keys = [generateKey(0, randomBytes), generateKey(1, randomBytes)] as const;
const ring = createKeyRing(keys, () => 1e12);
const here = associatedData('shop/okta', 'shop.example.com');
const sealHere = (text: string): string => seal(ring.sealing(), 'test', here, Buffer.from(text), randomBytes);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('sealing', () => {
  it('gives back what was sealed, and the key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        const text = seal(ring.sealing(), 'test', here, Buffer.from(bytes), randomBytes);
        const opened = open(ring, 'test', here, text);
        expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(opened?.key).toBe(ring.sealing());
        expect([...(opened?.plaintext ?? [])]).toEqual([...bytes]);
      }),
    );
  });

  it('A140 opens nothing of which one character was changed, dropped or added, in whatever spelling', () => {
    const text = sealHere('x');
    for (let at = 0; at < text.length; at += 1) {
      for (const char of ALPHABET) {
        if (char === text[at]) continue;
        expect(open(ring, 'test', here, text.slice(0, at) + char + text.slice(at + 1))).toBeUndefined();
      }
      expect(open(ring, 'test', here, text.slice(0, at))).toBeUndefined();
      expect(open(ring, 'test', here, text.slice(0, at) + text.slice(at + 1))).toBeUndefined();
    }
    for (const added of ['=', 'A', ' ', '\n', '%', '.', ';']) {
      expect(open(ring, 'test', here, text + added)).toBeUndefined();
      expect(open(ring, 'test', here, added + text)).toBeUndefined();
    }
  });

  it('A140 opens for its purpose and its place only', () => {
    const text = sealHere('x');
    expect(open(ring, 'test', here, text)).toBeDefined();
    expect(open(ring, 'tset', here, text)).toBeUndefined();
    expect(open(ring, 'test', associatedData('shop/okta"', 'shop.example.com'), text)).toBeUndefined();
  });

  it('binds parts without ambiguity', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 4 }), fc.array(fc.string(), { maxLength: 4 }), (a, b) => {
        const same = a.length === b.length && a.every((part, index) => part === b[index]);
        expect(associatedData(...a).equals(associatedData(...b))).toBe(same);
      }),
    );
    expect(associatedData('a', 'b').equals(associatedData('a","b'))).toBe(false);
  });

  it('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => open(ring, 'test', here, text) === undefined));
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const framed = Buffer.from([1, 8, ...Buffer.from(keys[0].id), ...bytes]);
        return open(ring, 'test', here, framed.toString('base64url')) === undefined;
      }),
    );
  });

  it('seals the same twice to different texts', () => {
    expect(sealHere('x')).not.toBe(sealHere('x'));
  });

  it('A149 opens with an old key while it is listed, and not afterwards', () => {
    const changing = createKeyRing([keys[0]], () => 1e12);
    const text = seal(changing.sealing(), 'test', here, Buffer.from('x'), randomBytes);
    changing.replace(formatKeyList(keys));
    expect(changing.sealing().id).toBe(keys[1].id);
    expect(open(changing, 'test', here, text)?.plaintext.toString()).toBe('x');
    changing.replace(formatKeyList([keys[1]]));
    expect(open(changing, 'test', here, text)).toBeUndefined();
  });
});
