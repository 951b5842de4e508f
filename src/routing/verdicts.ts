import type { HostPattern } from '../resources/hostname.ts';
import { nameOf, namespaceOf, type ObjectKey } from '../resources/keys.ts';
import type { Problem } from '../resources/problem.ts';
import type { Backend, ServiceResource } from '../resources/resource.ts';
import { backendProblem } from './backends.ts';
import { conditionsOf, WHOLE } from './conditions.ts';
import { type Findings, verdict } from './findings.ts';
import { formatBackend } from './guards.ts';
import { mayName } from './host-owners.ts';
import type { Broken } from './indexed.ts';
import type { Memo } from './memo.ts';
import { readHosts } from './namers.ts';
import { pluginVerdicts } from './plugin-verdicts.ts';
import { type Known, resolvePlugin } from './references.ts';
import { routeVerdicts } from './route-verdicts.ts';
import type { Verdict } from './snapshot.ts';
import type { Steps } from './steps.ts';

/** One verdict for every object, in order of key; a valid Secret has nothing to tell. What says the same is the same value. */
export function* verdictsOf(
  findings: Findings,
  memory: Memo<ObjectKey, Verdict>,
): Steps<ReadonlyMap<ObjectKey, Verdict>> {
  const unordered = new Map<ObjectKey, Verdict>();
  const of: readonly Steps<readonly Verdict[]>[] = [
    brokenVerdicts(findings, memory),
    serviceVerdicts(findings, memory),
    pluginVerdicts(findings, memory),
    routeVerdicts(findings, memory),
  ];
  for (const steps of of) {
    for (const verdict of yield* steps) {
      if (unordered.size % STRIDE === 0) yield;
      unordered.set(verdict.key, verdict);
    }
  }
  const verdicts = new Map<ObjectKey, Verdict>();
  for (const [at, key] of findings.objects.keys.entries()) {
    if (at % STRIDE === 0) yield;
    const verdict = unordered.get(key);
    if (verdict !== undefined) verdicts.set(key, verdict);
  }
  return verdicts;
}

/** Objects that are handled between two steps. */
const STRIDE = 64;

/** Verdicts hold no secrets and no Maps: their JSON is their content. */
export const sameVerdict = (a: Verdict, b: Verdict): boolean => JSON.stringify(a) === JSON.stringify(b);

function* brokenVerdicts({ objects, known }: Findings, memory: Memo<ObjectKey, Verdict>): Steps<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const broken of objects.broken) {
    if (verdicts.length % STRIDE === 0) yield;
    verdicts.push(memory.get(broken.key, [broken], () => brokenVerdict(broken, known)));
  }
  return verdicts;
}

function brokenVerdict(broken: Broken, known: Known): Verdict {
  const { problems } = broken;
  const conditions = conditionsOf(problems, false, WHOLE, []);
  if (broken.claims[0]?.kind !== 'Route') return verdict(broken, { problems, conditions });
  return verdict(broken, { problems, conditions, exposure: 'Denied', hosts: hostsOfBroken(broken, known) });
}

function hostsOfBroken(broken: Broken, { owners, options }: Known): readonly HostPattern[] | undefined {
  if (options.mode.kind === 'Files') return undefined;
  const hosts = [...new Set(readHosts(broken))];
  if (hosts.some((host) => owners.get(host).kind === 'Pending')) return undefined;
  return hosts.filter((host) => mayName(owners.get(host), broken.meta.namespace));
}

function* serviceVerdicts({ objects, known }: Findings, memory: Memo<ObjectKey, Verdict>): Steps<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const found of objects.services.values()) {
    if (found.kind === 'Broken') continue;
    if (verdicts.length % STRIDE === 0) yield;
    const service = found.value;
    verdicts.push(memory.get(service.key, [service, known.grants], () => serviceVerdict(service, known)));
  }
  return verdicts;
}

function serviceVerdict(service: ServiceResource, known: Known): Verdict {
  const problems = serviceProblems(service, known);
  const conditions = conditionsOf(problems, true, WHOLE, []);
  return verdict(service, { problems, conditions, target: targetText(service.backend) });
}

function serviceProblems(service: ServiceResource, known: Known): readonly Problem[] {
  const backend = backendProblem(service, known.coreServices, known.options.mode);
  const from = { kind: 'Service', namespace: namespaceOf(service.name) } as const;
  const plugins = service.plugins.flatMap(
    (ref, index) => resolvePlugin(ref, from, ['spec', 'plugins', index], known) ?? [],
  );
  return backend === undefined ? plugins : [backend, ...plugins];
}

/** A core Service is always of the Service's own namespace. */
const targetText = (backend: Backend): string =>
  backend.kind === 'Service' ? `${nameOf(backend.name)}:${backend.port}` : formatBackend(backend);
