import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { promtool } from '../support/parts.ts';
import { at, objectsOf } from './render.ts';

const METRICS = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'metrics.md'), 'utf8');
const CASES_FILE = join(import.meta.dirname, 'alerts.promtool.yaml');
const CASES: unknown = parse(readFileSync(CASES_FILE, 'utf8'));

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

async function groups(): Promise<unknown> {
  const objects = await objectsOf({ metrics: { disableAPICheck: true, prometheusRule: { enabled: true } } });
  return at(objects.find(({ kind }) => kind === 'PrometheusRule')?.object, 'spec', 'groups');
}

const rules = async (): Promise<readonly unknown[]> => list(at(await groups(), 0, 'rules'));

describe('alerts', () => {
  it('ask for metrics that docs/metrics.md knows, of this release only', async () => {
    const expressions = (await rules()).map((rule) => String(at(rule, 'expr')));
    expect(expressions.length).toBeGreaterThan(8);
    const named = expressions.flatMap((text) => [...text.matchAll(/\bpostern_[a-z_]+/g)].map(([name]) => name));
    const known = named.filter((name) => METRICS.includes(`\`${name.replace(/_bucket$/, '')}\``));
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
    for (const text of expressions) {
      const selectors = [...text.matchAll(/\b(?:postern|process)_[a-z_]+(\{[^}]*\})?/g)].map(
        ([, braces]) => braces ?? '',
      );
      for (const braces of selectors) expect(braces).toContain('job="postern-admin",namespace="postern-system"');
    }
  });

  it('each has a case in which it fires, and one in which it does not', async () => {
    const names = (await rules()).map((rule) => String(at(rule, 'alert')));
    const cases = list(at(CASES, 'tests')).flatMap((test) => list(at(test, 'alert_rule_test')));
    for (const silent of [false, true]) {
      const fitting = cases.filter((each) => (list(at(each, 'exp_alerts')).length === 0) === silent);
      const covered = fitting.map((each) => at(each, 'alertname'));
      expect(names.filter((name) => !covered.includes(name))).toEqual([]);
    }
  });

  it.skipIf(promtool.missing)(`promtool: they fire when they should, and only then ${promtool.why}`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'postern-alerts-'));
    try {
      writeFileSync(join(directory, 'rules.yaml'), stringify({ groups: await groups() }));
      copyFileSync(CASES_FILE, join(directory, 'cases.yaml'));
      const ran = await promisify(execFile)(promtool.path, ['test', 'rules', 'cases.yaml'], { cwd: directory });
      expect(ran.stdout).toContain('SUCCESS');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
