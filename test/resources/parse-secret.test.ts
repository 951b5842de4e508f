import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { claimOf, parsed, problems, secret, secretOf } from './objects.ts';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const valuesOf = (value: unknown): Record<string, string> =>
  Object.fromEntries([...secretOf(value).data].map(([key, hidden]) => [key, hidden.reveal()]));

describe('a Secret', () => {
  it('data is base64, stringData is text and wins', () => {
    const data = { 'client-secret': base64('s3cret'), other: base64('pässword 日本\n'), empty: '' };
    expect(valuesOf(secret({ type: 'Opaque', immutable: true, data, stringData: { other: 'plain' } }))).toEqual({
      'client-secret': 's3cret',
      other: 'plain',
      empty: '',
    });
    expect(valuesOf(secret({ data: { other: data.other } }))).toEqual({ other: 'pässword 日本\n' });
    expect(valuesOf(secret({ data: { bom: base64('\ufeffx') } }))).toEqual({ bom: '\ufeffx' });
    expect(valuesOf(secret({ data: null }))).toEqual({});
  });

  it('A180 values are never shown', () => {
    const marked = secretOf(secret({ stringData: { key: 'MARKED-SECRET' } }));
    for (const shown of [
      JSON.stringify([...marked.data]),
      inspect(marked, { depth: 9 }),
      `${[...marked.data.values()].join()}`,
    ])
      expect(shown).not.toContain('MARKED');
  });

  it.each<[Record<string, unknown>, string]>([
    [
      { data: { key: 'MARKED secret' } },
      'data.key must be base64 of UTF-8 text, with padding and without line breaks; or write it as text below stringData',
    ],
    [
      { data: { key: 'TUFSS0VE\n' } },
      'data.key must be base64 of UTF-8 text, with padding and without line breaks; or write it as text below stringData',
    ],
    [
      { data: { key: 'TUFSS0VEIQ' } },
      'data.key must be base64 of UTF-8 text, with padding and without line breaks; or write it as text below stringData',
    ],
    [
      { data: { key: 'TUFSS0VEIR==' } },
      'data.key must be base64 of UTF-8 text, with padding and without line breaks; or write it as text below stringData',
    ],
    [
      { data: { key: '_-MARKED' } },
      'data.key must be base64 of UTF-8 text, with padding and without line breaks; or write it as text below stringData',
    ],
    [
      { data: { key: '/v8=' } },
      'data.key must be base64 of UTF-8 text, with padding and without line breaks; or write it as text below stringData',
    ],
    [{ stringData: { key: 12345 } }, 'stringData.key must be text; put it in quotes'],
    [{ stringData: { key: { MARKED: 1 } } }, 'stringData.key must be text; put it in quotes'],
    [
      { stringData: { 'a/b': 'MARKED' } },
      'stringData.a/b is no name of a key: A-Z, a-z, 0-9, -, _ and ., at most 253 characters',
    ],
    [{ data: 'MARKED' }, 'data must be an object with a field for each key'],
    [{ data: ['MARKED'] }, 'data must be an object with a field for each key'],
    [{ dta: {} }, 'dta is no field here; did you mean data?'],
    [{ spec: {} }, 'spec is no field here; there are apiVersion, kind, metadata, type, immutable, data and stringData'],
    [{ stringData: { key: 'x'.repeat(1_048_577) } }, 'stringData is larger than 1 MiB; split the Secret'],
    [
      { stringData: Object.fromEntries(Array.from({ length: 1025 }, (_, at) => [`k${at}`, ''])) },
      'stringData must have at most 1024 keys',
    ],
  ])('%#: %s', (rest, message) => {
    const found = problems(secret(rest));
    expect(found).toEqual([message]);
    expect(claimOf(secret(rest))).toEqual({ kind: 'Secret' });
    expect(JSON.stringify(parsed(secret(rest)))).not.toContain('MARKED');
  });

  it('the largest that is allowed is read', () => {
    expect(valuesOf(secret({ data: { key: base64('x'.repeat(786_000)) } }))['key']).toHaveLength(786_000);
  });

  it('keys named as properties of objects are keys like others', () => {
    const data: unknown = JSON.parse(`{"__proto__":"${base64('a')}","constructor":"${base64('b')}"}`);
    expect([...secretOf(secret({ data })).data.keys()]).toEqual(['__proto__', 'constructor']);
  });
});
