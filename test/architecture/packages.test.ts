import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (file: string): unknown => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

const { packages } = record(read('package-lock.json'));
const locked = Object.entries(record(packages)).map(([path, entry]) => [path, record(entry)] as const);

describe('packages', () => {
  it('are named by exact versions', () => {
    const { dependencies, devDependencies } = record(read('package.json'));
    const ranges = Object.entries({ ...record(dependencies), ...record(devDependencies) });
    expect(ranges.length).toBeGreaterThan(6);
    expect(ranges.filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(String(range)))).toEqual([]);
  });

  it('are locked without download addresses, so that every registry serves', () => {
    expect(locked.length).toBeGreaterThan(100);
    expect(locked.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it('are locked for every platform: npm ci refuses a lock file in which optional ones are missing', () => {
    const missing = locked.flatMap(([path, { optionalDependencies }]) =>
      Object.keys(record(optionalDependencies)).filter((name) => {
        const places = [`${path}/node_modules/${name}`, `node_modules/${name}`];
        return !locked.some(([other]) => places.includes(other));
      }),
    );
    expect(missing).toEqual([]);
  });
});
