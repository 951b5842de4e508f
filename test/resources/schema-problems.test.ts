import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nearest } from '../../src/resources/nearest.ts';
import { formatPath } from '../../src/resources/problem.ts';
import { schemaProblems } from '../../src/resources/schema-problems.ts';

const schema = z.strictObject({
  mode: z.enum(['JWT', 'Introspection']).default('JWT'),
  count: z.int().min(1).max(9).optional(),
  ratio: z.number().multipleOf(2).optional(),
  extra: z.record(z.string(), z.string().max(4)).default({}),
  nested: z.strictObject({ name: z.string().regex(/^[a-z]+$/), on: z.boolean().optional() }).prefault({ name: 'a' }),
  list: z
    .array(z.strictObject({ header: z.string() }).optional())
    .min(1)
    .max(2)
    .optional(),
  either: z.union([z.literal('None'), z.strictObject({ header: z.string() })]).optional(),
});
const lines = (value: unknown): readonly string[] => {
  const parsed = schema.safeParse(value);
  return parsed.success
    ? []
    : schemaProblems(parsed.error, ['spec'], schema).map(({ path, message }) => `${formatPath(path)} ${message}`);
};

describe('schemaProblems', () => {
  it.each<[unknown, string]>([
    [{ mode: 'jwt' }, 'spec.mode must be JWT or Introspection'],
    [{ count: 0 }, 'spec.count must be at least 1'],
    [{ count: 10 }, 'spec.count must be at most 9'],
    [{ count: 1.5 }, 'spec.count must be a whole number'],
    [{ count: '1' }, 'spec.count must be a number'],
    [{ ratio: 3 }, 'spec.ratio must be a multiple of 2'],
    [{ extra: { a: 'MARKED' } }, 'spec.extra.a must have at most 4 characters'],
    [{ extra: [] }, 'spec.extra must be an object with fields'],
    [{ nested: { name: 'MARKED' } }, 'spec.nested.name must match /^[a-z]+$/'],
    [{ nested: { name: 'a', on: 'yes' } }, 'spec.nested.on must be true or false'],
    [{ nested: { name: 'a', naem: 'b' } }, 'spec.nested.naem is no field here; did you mean name?'],
    [{ nested: { name: true } }, 'spec.nested.name must be text; put it in quotes'],
    [{ list: [] }, 'spec.list must have at least 1 member'],
    [{ list: [{ header: 'a' }, { header: 'a' }, { header: 'a' }] }, 'spec.list must have at most 2 members'],
    [{ list: [{ header: 'a', headr: 1 }] }, 'spec.list[0].headr is no field here; did you mean header?'],
    [{ list: { header: 'a' } }, 'spec.list must be a list; write [...] or lines that begin with -'],
    [{ either: 'MARKED' }, 'spec.either has none of the forms that are possible here'],
    [{ counted: 1, Modes: 1 }, 'spec.counted is no field here; did you mean count?'],
    [undefined, 'spec is missing; write an object with fields'],
    [null, 'spec has no value; write an object with fields or leave the field out'],
    ['MARKED', 'spec must be an object with fields'],
  ])('%j', (value, line) => {
    const found = lines(value);
    expect(found[0]).toBe(line);
    expect(found.join()).not.toContain('MARKED');
  });

  it('without the schema, unknown fields are told without advice', () => {
    const parsed = schema.safeParse({ nme: 1 });
    if (parsed.success) throw new Error('bad test');
    expect(schemaProblems(parsed.error, [])).toEqual([
      { reason: 'Invalid', path: ['nme'], message: 'is no field here; leave it out' },
    ]);
  });

  it('a message that the schema gives is used as it is', () => {
    const own = z
      .string()
      .regex(/^a$/, 'must be the letter a')
      .refine(() => false, 'is never right');
    const parsed = own.safeParse('b');
    if (parsed.success) throw new Error('bad test');
    expect(schemaProblems(parsed.error, ['x']).map(({ message }) => message)).toContain('must be the letter a');
  });
});

describe('nearest', () => {
  it.each([
    ['plugin', 'plugins'],
    ['plugsin', 'plugins'],
    ['PLUGINS', 'plugins'],
    ['hots', 'hosts'],
    ['xyz', undefined],
    ['', undefined],
    ['a', undefined],
    ['x'.repeat(100_000), undefined],
  ])('%s: %s', (word, meant) => {
    expect(nearest(word, ['hosts', 'paths', 'plugins'])).toBe(meant);
  });
});
