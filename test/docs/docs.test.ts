import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fieldsOf } from '../../scripts/docs/fields.ts';
import { outdatedPages } from '../../scripts/docs.ts';
import { SERVE } from '../../src/cli/options.ts';
import { parseKeyList } from '../../src/keys/key-list.ts';
import { postern } from '../cli/run.ts';
import { openssl } from '../support/parts.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** The first fenced block of that language below a heading. */
function block(page: string, heading: string, language: string): string {
  const below = read(page).split(`\n## ${heading}\n`)[1] ?? '';
  return new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(below)?.[1] ?? '';
}

describe('docs', () => {
  it('objects.md, settings.md and conditions.md are what the code says; else run npm run docs', () => {
    expect(outdatedPages()).toEqual([]);
  });

  it.each(PAGES)('%s: every link within the repository leads somewhere', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)#:\s]+)(#[^)]*)?\)/g)].map(([, to]) => to ?? '');
    expect(links.filter((to) => !existsSync(join(ROOT, dirname(page), to)))).toEqual([]);
  });

  it('README.md names every page', () => {
    const named = [...read('README.md').matchAll(/\(docs\/([a-z-]+\.md)\)/g)].map(([, name]) => name);
    expect(readdirSync(join(ROOT, 'docs')).filter((name) => !named.includes(name))).toEqual([]);
  });

  it('conditions.md has every reason that a condition can have', () => {
    const files = ['src/routing/conditions.ts', 'src/control/status.ts', 'src/control/instances.ts'].concat(
      ['discovery', 'look-status', 'provider-client', 'fetch-keys'].map(
        (name) => `src/plugins/oidc/provider/${name}.ts`,
      ),
    );
    const words = files.map(read).join('\n');
    const reasons = [...words.matchAll(/\b[rR]eason\b[^;\n]*/g)].flatMap(([line]) =>
      [...line.matchAll(/(?<!=== )'([A-Z]\w+)'/g)].map(([, name = '']) => name),
    );
    expect(reasons).toEqual(expect.arrayContaining(['IssuerMismatch', 'Overridden', 'NotUsed', 'StartFailed']));
    const rows = new Set([...read('docs/conditions.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name));
    expect([...new Set(reasons)].filter((name) => !rows.has(name))).toEqual([]);
  });

  it('the objects of README.md are valid and protected, with the flags that it names', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'postern-readme-'));
    try {
      writeFileSync(join(directory, 'all.yaml'), block('README.md', 'From a directory of files', 'yaml'));
      const command = /postern -- validate DIR (.+?) +#/.exec(read('README.md'))?.[1] ?? '';
      const ran = await postern(['validate', directory, ...command.split(' ')]);
      expect(ran.stdout).toContain('Route shop/orders  Protected by OidcPlugin shop/okta: rules staff');
      expect(ran.stdout).toContain('4 objects, 0 problems, 0 warnings');
      expect(ran.code).toBe(0);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it.skipIf(openssl.missing)(`the line that makes a keys file makes one ${openssl.why}`, () => {
    const line = SERVE.find(({ flag }) => flag === 'keys-file')?.shell ?? '';
    expect(read('docs/login.md')).toContain(line);
    const directory = mkdtempSync(join(tmpdir(), 'postern-keys-'));
    try {
      execFileSync('sh', ['-c', line], { cwd: directory });
      const file = join(directory, 'keys');
      expect(parseKeyList(readFileSync(file, 'utf8'))).toMatchObject({ ok: true, value: [{ id: 'k1' }] });
      expect(statSync(file).mode & 0o077).toBe(0);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('a table of fields', () => {
  it('tells forms, defaults and what is in lists', () => {
    const text = { type: 'string', minLength: 1, maxLength: 9 };
    const schema = {
      type: 'object',
      required: ['a'],
      properties: {
        a: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'object', properties: { b: text } } },
        c: { type: 'integer', minimum: 1, maximum: 9, default: 3, description: 'Less than *10*.' },
        d: { type: 'object', properties: { e: { type: 'string', enum: ['x', 'y'], default: 'x' } } },
      },
    };
    expect([...fieldsOf(schema)]).toEqual([
      { path: 'a', form: 'list, 1 to 3', fallback: 'required', about: '' },
      { path: 'a[].b', form: 'text, 1 to 9 characters', fallback: '', about: '' },
      { path: 'c', form: 'number, 1 to 9', fallback: '`3`', about: 'Less than \\*10\\*.' },
      { path: 'd.e', form: '`x`, `y`', fallback: '`x`', about: '' },
    ]);
  });
});
