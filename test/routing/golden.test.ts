import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { oidcKind } from '../../src/plugins/oidc/kind.ts';
import { parseObject } from '../../src/resources/parse.ts';
import { formatPath, type Problem } from '../../src/resources/problem.ts';
import { compile } from '../../src/routing/compile.ts';
import { describeTable } from '../../src/routing/describe.ts';
import type { Compiled, Verdict } from '../../src/routing/snapshot.ts';
import { KINDS } from './kinds.ts';
import { OPTIONS } from './support.ts';

const ROOT = fileURLToPath(new URL('golden', import.meta.url));
const PLUGINS = [oidcKind, ...KINDS];

function read(file: string): readonly unknown[] {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'));
  if (!Array.isArray(documents)) throw new Error(`${file} is empty`);
  return documents.map((document): unknown => document.toJS());
}

/** Objects in, table and statuses out; the same table dump is served to operators. */
function dump(objects: readonly unknown[]): string {
  const parsed = objects.map((value) => parseObject(value, PLUGINS)).filter((one) => 'ok' in one);
  const compiled = compile(parsed, { ...OPTIONS, plugins: PLUGINS });
  return stringify(described(compiled), { lineWidth: 120, aliasDuplicateObjects: false });
}

function described({ table, plugins, verdicts }: Compiled) {
  return {
    table: describeTable(table),
    plugins: Object.fromEntries(
      [...plugins].map(([key, { reserved, needs }]) => [key, { reserved: reserved.map(({ path }) => path), needs }]),
    ),
    verdicts: Object.fromEntries([...verdicts].map(([key, verdict]) => [key, describedVerdict(verdict)])),
  };
}

const describedVerdict = (verdict: Verdict) => ({
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

describe('compile, object by object', () => {
  for (const name of readdirSync(ROOT).sort()) {
    it(name, () => {
      const expected = `${ROOT}/${name}/compiled.yaml`;
      const actual = dump(read(`${ROOT}/${name}/objects.yaml`));
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(expected, actual);
      expect(existsSync(expected), `${expected}: run with UPDATE_GOLDEN=1`).toBe(true);
      expect(actual).toBe(readFileSync(expected, 'utf8'));
    });
  }
});
