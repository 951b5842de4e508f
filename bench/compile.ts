import { filesPipeline } from '../src/cli/pipeline.ts';
import { PLUGIN_KINDS } from '../src/plugins/kinds.ts';
import { parseAuthority } from '../src/resources/hostname.ts';
import { canonicalPath } from '../src/resources/path.ts';
import { match } from '../src/routing/match.ts';
import { type Figure, median } from './statistics.ts';

const pipeline = filesPipeline(PLUGIN_KINDS, {
  class: 'postern',
  external: { scheme: 'https', port: 443 },
  identityHeaders: [],
});

/** 1,000 Routes over 100 hosts, half of them Protected, 100 Services: parsed, and compiled whole; and a match among 10,000. */
export async function compileFigure(): Promise<readonly Figure[]> {
  const objects = world(1000);
  const parse = timed(30, () => parseAll(objects));
  const parsed = parseAll(objects);
  const compile = timed(30, () => pipeline.compileAlone(parsed));
  const matchNs = matchTime(10_000);
  const both = parse + compile;
  return [
    { figure: 'compile of 1,000 Routes', against: '', value: compile, unit: 'ms', goal: '≤ 20 ms', met: compile <= 20 },
    { figure: 'the same, parsed anew', against: '', value: both, unit: 'ms', goal: '≤ 20 ms', met: both <= 20 },
    {
      figure: 'match among 10,000 Routes',
      against: '',
      value: matchNs / 1000,
      unit: 'µs',
      goal: '≤ 0.5 µs',
      met: matchNs <= 500,
    },
  ];
}

const parseAll = (objects: readonly unknown[]) =>
  objects.map((object) => {
    const parsed = pipeline.parse(object);
    if (parsed === undefined || !parsed.ok) throw new Error(`not valid: ${JSON.stringify(parsed)}`);
    return parsed;
  });

/** Median of the milliseconds that a run takes, after as many that warm up. */
function timed(runs: number, run: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < runs * 2; i++) {
    const start = performance.now();
    run();
    if (i >= runs) times.push(performance.now() - start);
  }
  return median(times);
}

/** Nanoseconds a match, over requests that go round all hosts and paths. */
function matchTime(routes: number): number {
  const { table } = pipeline.compileAlone(parseAll(world(routes)));
  const targets = Array.from({ length: 1000 }, (_, i) => {
    const host = parseAuthority(hostOf(i * 7));
    const path = canonicalPath(`/team-${(i * 7) % routes}/orders/${i}`);
    if (host === undefined || !path.ok) throw new Error('not a target');
    return { method: 'GET', host, path: path.path, query: '' };
  });
  const none = (): undefined => undefined;
  const nanoseconds: number[] = [];
  for (let round = 0; round < 200; round++) {
    const start = process.hrtime.bigint();
    for (const target of targets) {
      if (match(table, target, none).kind !== 'Route') throw new Error('no match');
    }
    if (round >= 100) nanoseconds.push(Number(process.hrtime.bigint() - start) / targets.length);
  }
  return median(nanoseconds);
}

const HOSTS = 100;
const hostOf = (i: number): string => `h${i % HOSTS}.example.com`;

function world(routes: number): readonly unknown[] {
  const apiVersion = 'postern.dev/v1alpha1';
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'idp' }, stringData: { 'client-secret': 'x' } };
  const plugin = {
    apiVersion,
    kind: 'OidcPlugin',
    metadata: { name: 'idp' },
    spec: { issuer: 'https://idp.example.com', clientID: 'c', clientSecretRef: { name: 'idp' } },
  };
  const services = Array.from({ length: 100 }, (_, i) => ({
    apiVersion,
    kind: 'Service',
    metadata: { name: `s${i}` },
    spec: { url: `http://s${i}.internal:8080` },
  }));
  const all = Array.from({ length: routes }, (_, i) => ({
    apiVersion,
    kind: 'Route',
    metadata: { name: `r${i}` },
    spec: {
      hosts: [hostOf(i)],
      paths: [{ type: 'Prefix', value: `/team-${i}` }],
      serviceRef: { name: `s${i % 100}` },
      ...(i % 2 === 0 ? { access: 'Public' } : { plugins: [{ kind: 'OidcPlugin', name: 'idp' }] }),
    },
  }));
  return [secret, plugin, ...services, ...all];
}
