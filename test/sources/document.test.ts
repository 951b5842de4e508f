import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readChunk, splitDocuments } from '../../src/sources/files/document.ts';
import { route } from './directory.ts';

const accept = (): undefined => undefined;

const problemOf = (text: string): string => {
  const read = readChunk(text, accept);
  return read.ok ? 'ok' : read.problems.map(({ line, message }) => `${line + 1}: ${message}`).join('\n');
};

const valuesOf = (text: string): unknown[] => {
  const read = readChunk(text, accept);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.objects.map(({ value }) => value);
};

describe('splitDocuments', () => {
  it('cuts at the document markers and counts lines', () => {
    expect(splitDocuments('# c\n---\na: 1\n\n--- # second\nb: 2\n').map(({ line, text }) => [line, text])).toEqual([
      [1, '# c\n'],
      [2, '---\na: 1\n\n'],
      [5, '--- # second\nb: 2\n'],
    ]);
    expect(splitDocuments('a: ---x\n---x: 1\n')).toHaveLength(1);
    expect(splitDocuments('a: |\r\n  text\r\n---\r\nb: 1\r\n').map(({ line }) => line)).toEqual([1, 3]);
    expect(splitDocuments('')).toEqual([{ text: '', line: 1 }]);
  });

  it('loses and adds nothing, and gives the same documents as the whole stream', () => {
    const value = fc.jsonValue({ maxDepth: 3 }).filter((v) => typeof v === 'object' && v !== null && !Array.isArray(v));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (all) => {
        const text = all.map((one) => `---\n${stringify(one)}`).join('');
        const chunks = splitDocuments(text);
        expect(chunks.map((chunk) => chunk.text).join('')).toBe(text);
        expect(chunks.flatMap((chunk) => valuesOf(chunk.text)).map((v) => JSON.stringify(v))).toEqual(
          all.map((one) => JSON.stringify(one)),
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe('readChunk', () => {
  it('reads objects, skips empty documents, takes JSON with tabs', () => {
    expect(valuesOf('# nothing\n')).toEqual([]);
    expect(valuesOf('---\n')).toEqual([]);
    expect(valuesOf('{\n\t"a": [\n\t\t1,\n\t\t"x\\ud83d\\ude00\\/"\n\t]\n}')).toEqual([{ a: [1, 'x😀/'] }]);
  });

  it('keeps what YAML 1.1 would turn into something else', () => {
    expect(valuesOf('a: yes\nb: 0777\nc: 12:30:00\nd: ~\n<<: {x: 1}')).toEqual([
      { a: 'yes', b: 777, c: '12:30:00', d: null, '<<': { x: 1 } },
    ]);
  });

  it('takes the members of a List as objects, nested ones too', () => {
    const text = `apiVersion: v1\nkind: List\nitems:\n- kind: A\n- apiVersion: v1\n  kind: List\n  items:\n  - kind: B\n    spec: {x: 1}\n`;
    expect(valuesOf(text)).toEqual([{ kind: 'A' }, { kind: 'B', spec: { x: 1 } }]);
    const read = readChunk(text, accept);
    expect(read.ok && read.objects.map(({ line }) => [line([]), line(['spec', 'x'])])).toEqual([
      [3, 3],
      [7, 8],
    ]);
    expect(read.ok && new Set(read.objects.map(({ version }) => version)).size).toBe(2);
  });

  it('gives the line of a field, or of the nearest one around it', () => {
    const read = readChunk(`# first\n${route('orders')}`, accept);
    if (!read.ok) throw new Error('unreadable');
    const line = read.objects[0]?.line;
    expect(line?.([])).toBe(1);
    expect(line?.(['metadata', 'namespace'])).toBe(5);
    expect(line?.(['spec', 'hosts', 0])).toBe(7);
    expect(line?.(['spec', 'paths', 0, 'value'])).toBe(10);
    expect(line?.(['spec', 'paths', 3, 'value'])).toBe(8);
    expect(line?.(['spec', 'serviceRef', 'name'])).toBe(6);
    expect(line?.(['status'])).toBe(1);
  });

  it('follows an alias to where the field is written', () => {
    const read = readChunk('a: &x\n  deep: 1\nb: *x\n', accept);
    expect(read.ok && read.objects[0]?.line(['b', 'deep'])).toBe(1);
  });

  it.each([
    ['unclosed', 'a: [1\nb: 2', /^2: not YAML: /],
    ['repeated key', 'a: 1\nb:\n  c: 1\n  c: 2\n', /^4: the key "c" is here twice: remove one of them$/],
    ['repeated key in JSON', '{"a": 1,\n"a": 2}', /^2: the key "a" is here twice/],
    ['custom tag', 'a: !!js/function x\n', /^1: not YAML: Unresolved tag/],
    ['own tag', 'a: 1\nb: !env HOME\n', /^2: not YAML: Unresolved tag/],
    ['template', 'a: {{ .Values.x }}\n', /^1: not YAML: a key has to be text \(a template/],
    ['directive', '%YAML 1.1\n---\na: yes\n', /^1: directives/],
    ['directive of its own document', 'a: 1\n...\n%TAG ! tag:x,2000:\n', /^3: directives/],
    ['infinite number', 'a: .inf\n', /^1: a number has to be finite$/],
    ['unknown alias', 'a: *x\n', /^1: (not YAML: Unresolved alias|no anchor &x)/],
    ['alias to what is around it', 'a: 1\nb: &x\n  c: *x\n', /^3: \*x contains itself$/],
    ['a text', 'hello\n', /^1: this is no object/],
    ['a list', '- a: 1\n', /^1: this is no object/],
    ['a List of texts', 'apiVersion: v1\nkind: List\nitems:\n- {}\n- x\n', /^5: this is no object/],
    ['deep flow', `a: ${'['.repeat(50_000)}`, /^1: (not YAML|this is nested too deeply)/],
    ['deep but complete', `a: ${'['.repeat(300)}${']'.repeat(300)}`, /^1: this is nested too deeply$/],
    ['deep blocks', Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /nested too deeply$/],
  ])('refuses: %s', (_, text, expected) => {
    expect(problemOf(text)).toMatch(expected);
  });

  it('refuses a billion laughs without expanding them', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`);
    expect(problemOf(['l0: &l0 [lol]', ...levels].join('\n'))).toBe(
      '1: aliases (*name) expand to too much: write it out',
    );
  });

  it('is not slowed down by a mapping of a hundred thousand keys', () => {
    const text = Array.from({ length: 100_000 }, (_, i) => `k${i}: 1`).join('\n');
    const began = performance.now();
    expect(Object.keys(valuesOf(text)[0] ?? {})).toHaveLength(100_000);
    // Comparing each key with each other one takes minutes.
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('A163 takes so many aliases and no more, each of which would be looked for among all', () => {
    const text = (count: number) =>
      Array.from({ length: count }, (_, i) => `k${i}: &a${i} x\nl${i}: *a${i}`).join('\n');
    expect(Object.keys(valuesOf(text(1000))[0] ?? {})).toHaveLength(2000);
    expect(problemOf(text(60_000))).toMatch(/^2002: there are more than 1000 aliases/);
  });

  it('an alias means the last anchor of its name before it', () => {
    expect(valuesOf('a: &x 1\nb: *x\nc: &x 2\nd: *x\n')).toEqual([{ a: 1, b: 1, c: 2, d: 2 }]);
    expect(problemOf('a: *x\nb: &x 1\n')).toMatch(/^1: /);
  });

  it('A163 tells the lines of thousands of problems in one List', () => {
    const text = `apiVersion: v1\nkind: List\nitems:\n${'- {a: 1}\n'.repeat(3000)}`;
    const read = readChunk(text, () => ({ reason: 'Invalid', path: ['a'], message: 'bad' }));
    // Composing the text for each of them takes minutes, in which no request is served.
    expect(read.ok ? [] : read.problems.map(({ line }) => line)).toEqual(Array.from({ length: 3000 }, (_, i) => i + 3));
    const other = readChunk('b: 1\na: 2\n', () => ({ reason: 'Invalid', path: ['a'], message: 'bad' }));
    expect(other).toEqual({ ok: false, problems: [{ line: 1, message: 'bad' }] });
  });

  it('names the line of what the check says', () => {
    const read = readChunk(route('x'), () => ({ reason: 'Invalid', path: ['metadata', 'namespace'], message: 'bad' }));
    expect(read).toEqual({ ok: false, problems: [{ line: 4, message: 'bad' }] });
  });

  it('never throws, whatever the text is', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: fc.constantFrom(...'a:-[]{}&*!|>%@"\'#,? \n\t~<.0'), maxLength: 80 }),
    );
    fc.assert(
      fc.property(noise, (text) => {
        for (const chunk of splitDocuments(text)) {
          const read = readChunk(chunk.text, accept);
          if (read.ok)
            for (const object of read.objects) expect(object.line(['spec', 'x', 0])).toBeGreaterThanOrEqual(0);
          else for (const problem of read.problems) expect(problem.line).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
