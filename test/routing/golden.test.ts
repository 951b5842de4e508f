import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { oidcKind } from '../../src/plugins/oidc/kind.ts';
import { parseObject } from '../../src/resources/parse.ts';
import { formatPath, type Problem } from '../../src/resources/problem.ts';
import { compile } from '../../src/routing/compile.ts';
import { describeTable } from '../../src/routing/describe.ts';
import type { CompileOptions } from '../../src/routing/options.ts';
import type { Compiled, Verdict } from '../../src/routing/snapshot.ts';
import { clusterOptions, hostOwners } from './cluster.ts';
import { KINDS } from './kinds.ts';
import { OPTIONS } from './support.ts';

const FILES = fileURLToPath(new URL('golden', import.meta.url));
/** Objects as an API server gives them, where `shop` and `web` have hosts that are reserved for them. */
const CLUSTER = fileURLToPath(new URL('golden-cluster', import.meta.url));
const RESERVED = hostOwners('shop.example.com=shop', '*.shop.example.com=shop', 'web.example.com=web', '*=web');
const PLUGINS = [oidcKind, ...KINDS];

function read(file: string): readonly unknown[] {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'));
  if (!Array.isArray(documents)) throw new Error(`${file} is empty`);
  return documents.map((document): unknown => document.toJS());
}

/** Objects in, table and statuses out; the same table dump is served to operators. */
function dump(objects: readonly unknown[], options: CompileOptions): string {
  const inFiles = options.mode.kind === 'Files';
  const reading = { class: 'postern', defaultNamespace: inFiles ? 'default' : undefined, fallbackName: '(unnamed)' };
  const parsed = objects.map((value) => parseObject(value, PLUGINS, reading)).filter((one) => 'ok' in one);
  const compiled = compile(parsed, { ...options, plugins: PLUGINS });
  return stringify(described(compiled), { lineWidth: 120, aliasDuplicateObjects: false });
}

function described({ table, plugins, certificates, verdicts }: Compiled) {
  return {
    table: describeTable(table),
    plugins: Object.fromEntries(
      [...plugins].map(([key, { reserved, needs }]) => [key, { reserved: reserved.map(({ path }) => path), needs }]),
    ),
    ...(certificates.size > 0 && {
      certificates: Object.fromEntries([...certificates].map(([host, { secret }]) => [host, secret])),
    }),
    verdicts: Object.fromEntries([...verdicts].map(([key, verdict]) => [key, describedVerdict(verdict)])),
  };
}

const describedVerdict = (verdict: Verdict) => ({
  ...(verdict.target !== undefined && { target: verdict.target }),
  ...(verdict.exposure && { exposure: verdict.exposure }),
  ...(verdict.authorization && { authorization: verdict.authorization }),
  ...(verdict.routes !== undefined && { routes: verdict.routes }),
  ...(verdict.redirectURIs.length > 0 && { redirectURIs: verdict.redirectURIs }),
  conditions: verdict.conditions.map(
    ({ type, status, reason, message }) =>
      `${type}=${status} ${reason}${type === 'Programmed' && reason !== 'Invalid' && message !== '' ? `: ${message}` : ''}`,
  ),
  ...(verdict.problems.length > 0 && { problems: verdict.problems.map(told) }),
  ...(verdict.warnings.length > 0 && { warnings: verdict.warnings.map(told) }),
});

const told = ({ reason, path, message }: Problem): string => `${reason} ${formatPath(path)}: ${message}`;

describe.each([
  ['in files', FILES, OPTIONS],
  ['in a cluster', CLUSTER, clusterOptions({ hostOwners: RESERVED, urlBackends: { kind: 'Public' } })],
])('compile %s, object by object', (_, root, options) => {
  for (const name of readdirSync(root).sort()) {
    it(name, () => {
      const expected = `${root}/${name}/compiled.yaml`;
      const actual = dump(read(`${root}/${name}/objects.yaml`), options);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(expected, actual);
      expect(existsSync(expected), `${expected}: run with UPDATE_GOLDEN=1`).toBe(true);
      expect(actual).toBe(readFileSync(expected, 'utf8'));
    });
  }
});
