import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyList } from '../../src/keys/key.ts';
import { createKey } from '../../src/keys/key.ts';
import { formatKeyList, generateKey, parseKeyList } from '../../src/keys/key-list.ts';
import { createKeyRing, SEALING_DELAY } from '../../src/keys/live-ring.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const fresh = (added = NOW) => generateKey(added, randomBytes);
const secret = () => randomBytes(32).toString('base64');

describe('the text form of keys', () => {
  it('comes back as it was written', () => {
    const keys: KeyList = [fresh(), fresh(NOW + 1000)];
    const parsed = parseKeyList(`# made today\n\n${formatKeyList(keys)}  \r\n`);
    expect(parsed.ok && formatKeyList(parsed.value)).toBe(formatKeyList(keys));
  });

  it.each([
    ['', 'holds no key'],
    ['# nothing', 'holds no key'],
    ['k1', 'Line 1: it doesn’t have three parts'.replace('’', "'")],
    [`k1 ${secret()}`, 'three parts'],
    [`k1 ${secret()} 2026-01-01T00:00:00Z more`, 'three parts'],
    [`k_1 ${secret()} 2026-01-01T00:00:00Z`, 'letters and digits'],
    [`${'k'.repeat(17)} ${secret()} 2026-01-01T00:00:00Z`, 'letters and digits'],
    ['k1 c2hvcnQ= 2026-01-01T00:00:00Z', '32 random bytes'],
    [`k1 ${randomBytes(33).toString('base64')} 2026-01-01T00:00:00Z`, '32 random bytes'],
    [`k1 ${secret().replace('=', '')} 2026-01-01T00:00:00Z`, '32 random bytes'],
    [`k1 ${Buffer.alloc(32).toString('base64')} 2026-01-01T00:00:00Z`, 'one byte repeated'],
    [`k1 ${secret()} yesterday`, 'RFC 3339'],
    [`k1 ${secret()} 2026-13-01T00:00:00Z`, 'RFC 3339'],
    [`a ${secret()} 2026-01-01T00:00:00Z\na ${secret()} 2026-01-01T00:00:00Z`, 'Line 2: its id'],
    [Array.from({ length: 17 }, (_, i) => `k${i} ${secret()} 2026-01-01T00:00:00Z`).join('\n'), 'at most 16'],
  ])('refuses %j', (text, message) => {
    const parsed = parseKeyList(text);
    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? '' : parsed.problems.map((p) => p.message).join()).toContain(message);
  });

  it('A180 shows no key in a problem, in JSON or in inspect', () => {
    const planted = secret();
    const parsed = parseKeyList(`k1 ${planted} never\nk2 ${planted}x 2026-01-01T00:00:00Z\n${planted}`);
    expect(parsed.ok).toBe(false);
    expect(inspect(parsed, { depth: 9 })).not.toContain(planted);
    const good = parseKeyList(`k1 ${planted} 2026-01-01T00:00:00Z`);
    expect(good.ok).toBe(true);
    expect(inspect(good, { depth: 9 }) + JSON.stringify(good)).not.toContain(planted);
    expect(
      inspect(
        createKeyRing([fresh()], () => NOW),
        { depth: 9, showHidden: true },
      ),
    ).not.toMatch(/[A-Za-z0-9+/]{43}=/);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof parseKeyList(text).ok === 'boolean'));
  });
});

describe('a key', () => {
  it('gives the same object for the same label and other bytes for another', () => {
    const key = createKey(fresh());
    expect(key.derive('a')).toBe(key.derive('a'));
    const labels = ['a', 'b', 'a\0b', ''].map((label) => key.derive(label).export().toString('hex'));
    expect(new Set(labels).size).toBe(4);
  });

  it('derives bytes that depend on key, label and context, and differ from its keys', () => {
    const entry = fresh();
    const key = createKey(entry);
    const bytes = key.deriveBytes('label', 'context', 32);
    expect(bytes).toHaveLength(32);
    expect(createKey(entry).deriveBytes('label', 'context', 32)).toEqual(bytes);
    expect(createKey(fresh()).deriveBytes('label', 'context', 32)).not.toEqual(bytes);
    expect(key.deriveBytes('label', 'context2', 32)).not.toEqual(bytes);
    expect(key.deriveBytes('labelc', 'ontext', 32)).not.toEqual(bytes);
    expect(key.derive('label').export()).not.toEqual(bytes);
    expect(key.deriveBytes('label', 'x'.repeat(100_000), 32)).toHaveLength(32);
  });
});

describe('a ring of keys', () => {
  it('seals with an only key at once', () => {
    const only = fresh();
    expect(createKeyRing([only], () => NOW).sealing().id).toBe(only.id);
  });

  it('opens with a new key at once, and seals with it five minutes after it was added', () => {
    let now = NOW;
    const old = fresh(NOW - 86_400_000);
    const young = fresh(NOW);
    const ring = createKeyRing([young, old], () => now);
    expect(ring.opening(young.id)?.id).toBe(young.id);
    expect(ring.sealing().id).toBe(old.id);
    now = NOW + SEALING_DELAY - 1;
    expect(ring.sealing().id).toBe(old.id);
    now = NOW + SEALING_DELAY;
    expect(ring.sealing().id).toBe(young.id);
  });

  it('seals with the oldest while none is old enough, the same one on every replica', () => {
    const keys = [fresh(NOW), fresh(NOW), fresh(NOW + 1)] as const;
    const one = createKeyRing(keys, () => NOW);
    const two = createKeyRing([keys[2], keys[1], keys[0]], () => NOW);
    expect(one.sealing().id).toBe(two.sealing().id);
    expect(one.sealing().id).not.toBe(keys[2].id);
  });

  it('F41 takes over another list while in use, and keeps its keys where the new list is malformed', () => {
    const old = fresh(NOW - 86_400_000);
    const ring = createKeyRing([old], () => NOW);
    const before = ring.sealing();
    for (const text of ['', 'garbage', `${old.id} c2hvcnQ= 2026-01-01T00:00:00Z`, '\0\u{1f600}']) {
      expect(ring.replace(text).ok).toBe(false);
      expect(ring.sealing()).toBe(before);
    }
    const young = fresh(NOW);
    expect(ring.replace(formatKeyList([old, young])).ok).toBe(true);
    expect(ring.ids()).toEqual([old.id, young.id]);
    expect(ring.sealing()).toBe(before);
    expect(ring.replace(formatKeyList([young])).ok).toBe(true);
    expect(ring.opening(old.id)).toBeUndefined();
    expect(ring.sealing().id).toBe(young.id);
  });

  it('A149 takes other bytes under an old id for another key', () => {
    const old = fresh();
    const ring = createKeyRing([old], () => NOW);
    const before = ring.sealing();
    const changed = { ...fresh(), id: old.id };
    ring.replace(formatKeyList([changed]));
    expect(ring.opening(old.id)).not.toBe(before);
    expect(ring.sealing().derive('x').export()).not.toEqual(before.derive('x').export());
  });
});
