import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PLUGIN_KINDS } from '../../src/plugins/kinds.ts';
import { GROUP } from '../../src/resources/metadata.ts';
import { breaches, code, importsOf, type SourceFile } from './rules.ts';

const files: readonly SourceFile[] = globSync('src/**/*.ts')
  .sort()
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));

describe('structure of src', () => {
  it('is looked at', () => {
    expect(files.length).toBeGreaterThan(60);
    expect(files.flatMap(({ text }) => importsOf(text)).length).toBeGreaterThan(200);
  });

  it('has no breach', () => {
    expect(files.flatMap(breaches)).toEqual([]);
  });

  it('misses no import: as many as there are lines with from, and calls of import', () => {
    for (const { path, text } of files) {
      const lines =
        code(text).match(/^\s*(?:import|export)\b.*\bfrom\s+['"]|^\}\s*from\s+['"]|\bawait import\(/gm) ?? [];
      expect({ path, imports: importsOf(text).length }).toEqual({ path, imports: lines.length });
    }
  });
});

describe('the checker catches', () => {
  const caught: readonly (readonly [rule: string, path: string, text: string])[] = [
    ['parts', 'src/resources/x.ts', "import { a } from '../routing/table.ts';"],
    ['parts', 'src/resources/x.ts', "import type { A } from '../routing/table.ts';"],
    ['parts', 'src/authorization/x.ts', "import { a } from '../routing/table.ts';"],
    ['parts', 'src/routing/x.ts', "import type { A } from '../plugins/contract.ts';"],
    ['parts', 'src/routing/x.ts', "export * from '../control/source.ts';"],
    ['parts', 'src/control/x.ts', "import { definePluginKind } from '../plugins/contract.ts';"],
    ['parts', 'src/control/x.ts', "import type { A } from '../plugins/oidc/config.ts';"],
    ['kinds', 'src/control/x.ts', "import type { A } from '../plugins/oidc/config.ts';"],
    ['parts', 'src/plugins/oidc/x.ts', "import { match } from '../../routing/match.ts';"],
    ['parts', 'src/plugins/oidc/x.ts', "import { decide } from '../../authorization/decide.ts';"],
    ['parts', 'src/plugins/oidc/x.ts', "import type { A } from '../../proxy/record.ts';"],
    ['kinds', 'src/plugins/oidc/x.ts', "import { a } from '../saml/spec.ts';"],
    ['parts', 'src/sources/files/x.ts', "import type { A } from '../../plugins/contract.ts';"],
    ['parts', 'src/sources/files/x.ts', "import { a } from '../../control/source.ts';"],
    ['parts', 'src/sources/files/x.ts', "import { a } from '../../proxy/x.ts';"],
    ['parts', 'src/proxy/x.ts', "import type { A } from '../sources/files/x.ts';"],
    ['parts', 'src/proxy/x.ts', "import type { A } from '../plugins/contract.ts';"],
    ['parts', 'src/proxy/x.ts', "import type { A } from '../control/control.ts';"],
    ['parts', 'src/proxy/x.ts', "import type { A } from '../observe/metrics.ts';"],
    ['parts', 'src/observe/x.ts', "import { formatPath } from '../resources/problem.ts';"],
    ['parts', 'src/observe/x.ts', "import { type A, b } from '../resources/problem.ts';"],
    ['parts', 'src/observe/x.ts', "const a = await import('../resources/problem.ts');"],
    ['parts', 'src/keys/x.ts', "import type { A } from '../plugins/contract.ts';"],
    ['parts', 'src/routing/x.ts', "import { x } from '../../test/support/parts.ts';"],
    ['parts', 'src/proxy/x.ts', "import {\n  a,\n  b,\n} from '../sources/x.ts';"],
    ['parts', 'src/proxy/x.ts', "import * as a from '../sources/x.ts';"],
    ['parts', 'src/proxy/x.ts', "import '../sources/x.ts';"],
    ['parts', 'src/proxy/x.ts', "import { version } from '../../package.json' with { type: 'json' };"],
    ['parts', 'src/elsewhere/x.ts', "import { a } from '../proxy/x.ts';"],
    ['pure', 'src/resources/x.ts', "import { createHash } from 'node:crypto';"],
    ['pure', 'src/routing/x.ts', "import type { Socket } from 'node:net';"],
    ['pure', 'src/authorization/x.ts', "import 'node:fs';"],
    ['pure', 'src/routing/x.ts', "import { pino } from 'pino';"],
    ['packages', 'src/proxy/x.ts', "import { Registry } from 'prom-client';"],
    ['packages', 'src/proxy/x.ts', "import proxy from 'http-proxy';"],
    ['packages', 'src/control/x.ts', "import { Issuer } from 'openid-client';"],
    ['environment', 'src/proxy/x.ts', "const a = process.env['HOME'];"],
    ['environment', 'src/proxy/x.ts', "const a = process['env'];"],
    ['environment', 'src/main.ts', 'const { HOME } = process.env;'],
    ['environment', 'src/proxy/x.ts', "import { env } from 'node:process';"],
    ['headersDistinct', 'src/proxy/x.ts', 'const a = request.headersDistinct;'],
    ['headersDistinct', 'src/proxy/x.ts', 'const { trailersDistinct } = request;'],
    ['eval', 'src/proxy/x.ts', 'eval(text);'],
    ['eval', 'src/proxy/x.ts', "new Function('a', text);"],
    ['eval', 'src/proxy/x.ts', "import { runInNewContext } from 'node:vm';"],
    ['node', 'src/proxy/x.ts', "import { readFile } from 'fs/promises';"],
    ['front', 'src/proxy/decide.ts', "import type { IncomingMessage } from 'node:http';"],
    ['front', 'src/proxy/journey.ts', "import type { ServerHttp2Stream } from 'node:http2';"],
    ['any', 'src/proxy/x.ts', '// @ts-ignore\nfoo();'],
  ];
  it.each(caught)('%s in %s: %s', (rule, path, text) => {
    expect(breaches({ path, text }).map((breach) => breach.rule)).toContain(rule);
  });

  const fine: readonly (readonly [path: string, text: string])[] = [
    ['src/main.ts', "import { a } from './plugins/oidc/plugin.ts';\nimport { b } from './sources/files/x.ts';"],
    ['src/cli/serve.ts', "import { a } from '../plugins/kinds.ts';"],
    ['src/observe/x.ts', "import { type A, type B } from '../resources/problem.ts';"],
    ['src/proxy/x.ts', "// import { a } from '../sources/x.ts'; eval(x) process.env\n/* headersDistinct */"],
    [
      'src/proxy/x.ts',
      "import { match } from '../routing/match.ts';\nimport type { Acquire } from '../control/lease.ts';",
    ],
    ['src/settings.ts', 'const e = process.env;'],
    ['src/proxy/x.ts', "import { createServer } from 'node:http';\nimport { x } from './retrieval.ts';\nretrieval(1);"],
  ];
  it.each(fine)('nothing in %s: %s', (path, text) => {
    expect(breaches({ path, text })).toEqual([]);
  });
});

describe('what a plugin kind is written down in', () => {
  const read = (path: string): unknown => parse(readFileSync(path, 'utf8'));
  const crds = globSync('crds/*.yaml').map((path) => ({ path, crd: read(path) }));
  const expected = [
    { kind: 'Service', plural: 'services' },
    { kind: 'Route', plural: 'routes' },
    ...PLUGIN_KINDS.map(({ kind, plural }) => ({ kind, plural })),
  ];

  it('each kind has its CRD, and no CRD is without a kind', () => {
    const byPlural = (a: { readonly plural: string }, b: { readonly plural: string }) => (a.plural < b.plural ? -1 : 1);
    const found = crds.map(({ crd }) => ({
      kind: at(crd, 'spec', 'names', 'kind'),
      plural: String(at(crd, 'spec', 'names', 'plural')),
    }));
    expect(found.sort(byPlural)).toEqual(expected.toSorted(byPlural));
  });

  it.each(crds)('$path is named by plural and group', ({ path, crd }) => {
    const name = `${String(at(crd, 'spec', 'names', 'plural'))}.${GROUP}`;
    expect(at(crd, 'metadata', 'name')).toBe(name);
    expect(at(crd, 'spec', 'group')).toBe(GROUP);
    expect(path).toBe(`crds/${name}.yaml`);
  });

  it('names and short names are used once', () => {
    const names = crds.flatMap(({ crd }) => [
      at(crd, 'spec', 'names', 'plural'),
      at(crd, 'spec', 'names', 'singular'),
      ...shortNames(crd),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('each kind has the short names that it says', () => {
    for (const { kind, shortNames: said } of PLUGIN_KINDS) {
      const crd = crds.find((candidate) => at(candidate.crd, 'spec', 'names', 'kind') === kind);
      expect(shortNames(crd?.crd)).toEqual(said);
    }
  });

  it('the kinds are named once, and not in routing, control, sources or proxy', () => {
    expect(new Set(PLUGIN_KINDS.map(({ kind }) => kind)).size).toBe(PLUGIN_KINDS.length);
    const general = files.filter(({ path }) => /^src\/(routing|control|sources|proxy)\//.test(path));
    for (const { path, text } of general) {
      for (const { kind } of PLUGIN_KINDS)
        expect({ path, named: code(text).includes(kind) }).toEqual({ path, named: false });
    }
  });

  const shortNames = (crd: unknown): readonly unknown[] => {
    const names = at(crd, 'spec', 'names', 'shortNames');
    return Array.isArray(names) ? names : [];
  };
});

function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.entries(found).find(([key]) => key === name)?.[1];
  }
  return found;
}
