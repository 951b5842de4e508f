import type { HostPattern } from '../resources/hostname.ts';
import { type NamespacedName, namespaceOf, type ObjectKey } from '../resources/keys.ts';
import type { Problem } from '../resources/problem.ts';
import type { ServiceResource } from '../resources/resource.ts';
import { backendProblem } from './backends.ts';
import type { Cells, Tracker } from './cells.ts';
import type { Certificates } from './certificates.ts';
import type { Hosts } from './compile-hosts.ts';
import type { RouteDraft } from './compile-routes.ts';
import { conditionsOf, unusual, WHOLE } from './conditions.ts';
import { type Change, Derived } from './derived.ts';
import { placedRoute, verdict } from './findings.ts';
import { mayName } from './host-owners.ts';
import type { Broken } from './indexed.ts';
import { readHosts } from './namers.ts';
import { type PluginUses, pluginVerdict } from './plugin-verdicts.ts';
import { type Known, resolvePlugin } from './references.ts';
import { routeVerdict } from './route-verdicts.ts';
import type { Verdict } from './snapshot.ts';
import type { Steps } from './steps.ts';
import { formatUpstream, insecureSettings, UNVERIFIED_WARNING } from './upstreams.ts';

export interface VerdictsWorld {
  readonly tracker: Tracker;
  readonly broken: Cells<ObjectKey, Broken>;
  readonly known: Known;
  readonly drafts: Pick<Derived<NamespacedName, RouteDraft>, 'get'>;
  readonly hosts: Hosts;
  readonly uses: PluginUses;
  readonly certificates: Certificates;
}

export interface VerdictsWorld {
  readonly tracker: Tracker;
  readonly broken: Cells<ObjectKey, Broken>;
  readonly known: Known;
  readonly drafts: Pick<Derived<NamespacedName, RouteDraft>, 'get'>;
  readonly hosts: Hosts;
  readonly uses: PluginUses;
  readonly certificates: Certificates;
}

/** One verdict for every object; a valid Secret has nothing to tell. What says the same stays the same value. */
export class Verdicts {
  readonly all = new Map<ObjectKey, Verdict>();
  readonly broken: Derived<ObjectKey, Verdict>;
  readonly services: Derived<NamespacedName, Verdict>;
  readonly plugins: Derived<ObjectKey, Verdict>;
  readonly routes: Derived<NamespacedName, Verdict>;

  constructor({ tracker, broken, known, drafts, hosts, uses, certificates }: VerdictsWorld) {
    const common = { tracker, same: sameVerdict, stride: STRIDE };
    this.broken = new Derived({
      ...common,
      make(key) {
        const one = broken.get(key);
        return one && brokenVerdict(one, known);
      },
    });
    this.services = new Derived({
      ...common,
      make(name) {
        const service = known.services.get(name);
        return service?.kind === 'Valid' ? serviceVerdict(service.value, known) : undefined;
      },
    });
    this.plugins = new Derived({
      ...common,
      *make(key) {
        const state = known.plugins.get(key);
        if (state === undefined || state.kind === 'Broken') return undefined;
        return pluginVerdict(state, yield* uses.of(key, hosts));
      },
    });
    this.routes = new Derived({
      ...common,
      make(name) {
        const draft = drafts.get(name);
        return draft && routeVerdict(placedRoute(draft, hosts), certificates.problems(draft), known);
      },
    });
  }

  get pending(): boolean {
    return this.#parts().some(({ pending }) => pending);
  }

  /** Answers the objects of which something else is said than before. */
  *run(): Steps<ReadonlySet<ObjectKey>> {
    const changed = new Set<ObjectKey>();
    const made: Verdict[] = [];
    for (const part of this.#parts()) {
      for (const { before, after } of yield* part.run()) {
        // An object that breaks is gone from one part and new in another.
        if (after !== undefined) made.push(after);
        else if (before !== undefined && this.all.delete(before.key)) changed.add(before.key);
      }
    }
    for (const verdict of made) {
      this.all.set(verdict.key, verdict);
      changed.add(verdict.key);
    }
    return changed;
  }

  #parts(): readonly Part[] {
    return [this.broken, this.services, this.plugins, this.routes];
  }
}

type Part = {
  readonly pending: boolean;
  run(): Steps<readonly Omit<Change<unknown, Verdict>, 'key'>[]>;
};

/** Objects that are handled between two steps. */
const STRIDE = 16;

/** Verdicts hold no secrets and no Maps: their JSON is their content. */
export const sameVerdict = (a: Verdict, b: Verdict): boolean => JSON.stringify(a) === JSON.stringify(b);

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

function serviceVerdict(service: ServiceResource, known: Known): Verdict {
  const problems = serviceProblems(service, known);
  const insecure = insecureSettings(service);
  const unusualOnes = insecure.length === 0 ? [] : [unusual('Insecure', `In use: ${insecure.join(', ')}.`)];
  return verdict(service, {
    problems,
    warnings: insecure.length === 0 ? [] : [UNVERIFIED_WARNING],
    conditions: conditionsOf(problems, true, WHOLE, unusualOnes),
    target: targetText(service),
  });
}

function serviceProblems(service: ServiceResource, known: Known): readonly Problem[] {
  const backend = backendProblem(service, known.coreServices, known.options.mode);
  const from = { kind: 'Service', namespace: namespaceOf(service.name) } as const;
  const plugins = service.plugins.flatMap(
    (ref, index) => resolvePlugin(ref, from, ['spec', 'plugins', index], known) ?? [],
  );
  const upstream = known.upstreams.get(service.name);
  const tls = upstream?.kind === 'Unresolved' ? upstream.problems : [];
  return [...(backend === undefined ? [] : [backend]), ...tls, ...plugins];
}

/** A core Service is always of the Service's own namespace. */
function targetText({ backend, upstream }: ServiceResource): string {
  const text = formatUpstream(backend, upstream.policy);
  return backend.kind === 'Service' ? text.replace(`${namespaceOf(backend.name)}/`, '') : text;
}
