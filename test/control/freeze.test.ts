import { describe, expect, it } from 'vitest';
import { deepFreeze } from '../../src/control/freeze.ts';
import { Redacted } from '../../src/resources/redacted.ts';

describe('deep freeze', () => {
  it('F15 lets nothing inside be changed: objects, arrays, Maps, Sets', () => {
    const value = {
      list: [{ a: 1 }],
      map: new Map([['k', { b: new Map([['x', [1]]]) }]]),
      set: new Set([1]),
      secret: new Redacted('s'),
    };
    deepFreeze(value);
    expect(() => value.list.push({ a: 2 })).toThrow(TypeError);
    expect(() => Object.assign(value.list[0] ?? {}, { a: 2 })).toThrow(TypeError);
    expect(() => value.map.set('y', { b: new Map() })).toThrow('immutable');
    expect(() => value.map.get('k')?.b.delete('x')).toThrow('immutable');
    expect(() => value.map.get('k')?.b.get('x')?.push(2)).toThrow(TypeError);
    expect(() => value.map.clear()).toThrow('immutable');
    expect(() => value.set.add(2)).toThrow('immutable');
    expect(() => value.set.delete(1)).toThrow('immutable');
    expect(() => Object.assign(value, { list: [] })).toThrow(TypeError);
  });

  it('leaves everything readable', () => {
    const value = {
      map: new Map([['k', [1]]]),
      set: new Set(['a']),
      pattern: /a/g,
      bytes: Buffer.from('x'),
      secret: new Redacted('s'),
    };
    deepFreeze(value);
    expect(value.map.get('k')).toEqual([1]);
    expect([...value.map.keys(), ...value.set]).toEqual(['k', 'a']);
    expect('aa'.replace(value.pattern, 'b')).toBe('bb');
    expect(value.secret.reveal()).toBe('s');
    expect(value.bytes.toString()).toBe('x');
  });

  it('takes circles and what is frozen already', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    deepFreeze(circle);
    deepFreeze(circle);
    deepFreeze(undefined);
    deepFreeze('text');
    expect(Object.isFrozen(circle)).toBe(true);
  });
});
