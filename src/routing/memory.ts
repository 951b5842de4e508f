import type { NamespacedName, ObjectKey } from '../resources/keys.ts';
import { Bindings } from './bindings.ts';
import { Cells, Tracker } from './cells.ts';
import { Certificates } from './certificates.ts';
import type { ParsedChange, ParsedObjects } from './changes.ts';
import { Hosts } from './compile-hosts.ts';
import { type PluginState, pluginSteps } from './compile-plugins.ts';
import { type RouteDraft, routeSteps } from './compile-routes.ts';
import type { Derived } from './derived.ts';
import { GuardedBackends } from './guards.ts';
import { HostOwners } from './host-owners.ts';
import { Objects } from './objects.ts';
import type { CompileOptions } from './options.ts';
import { PluginUses } from './plugin-verdicts.ts';
import type { Known } from './references.ts';
import type { Compiled } from './snapshot.ts';
import { type UpstreamState, upstreamSteps } from './upstreams.ts';
import { Verdicts } from './verdicts.ts';

/**
 * What one run of compiling leaves for the next, so that a change costs what it changes. It never decides anything: with it
 * or without, the same objects compile to the same. One run at a time.
 */
export class CompileMemory {
  #options: CompileOptions | undefined;
  #stages: Stages | undefined;
  /** Of the last run, if that came to its end. */
  #moment: number | undefined;

  /**
   * The stages of compiling, and what is to be done in this run. Under other options everything is another; what a run left
   * that didn't end, or that was of another moment than the one before, is of no use.
   */
  begin({ all, changes, moment }: ParsedObjects, options: CompileOptions): Begun {
    const known = this.#options !== undefined && sameOptions(this.#options, options) && this.#moment === moment - 1;
    const stages = known ? this.#stages : undefined;
    this.#options = options;
    this.#moment = undefined;
    if (stages !== undefined) return { stages, changes: changes.values() };
    this.#stages = createStages(options);
    return { stages: this.#stages, changes: additions(all) };
  }

  /** @throws Error where a stage has work left, which would be a bug: steps would come in another order than they read. */
  end({ moment }: ParsedObjects): void {
    if (this.#stages !== undefined && isPending(this.#stages))
      throw new Error('a run of compiling left something undone');
    this.#moment = moment;
  }
}

interface Begun {
  readonly stages: Stages;
  readonly changes: Iterable<ParsedChange>;
}

function* additions(all: ParsedObjects['all']): Generator<ParsedChange> {
  for (const after of all.values()) yield { before: undefined, after };
}

/** The stages of compiling in their order: each reads only of those before it. */
export interface Stages {
  readonly objects: Objects;
  readonly owners: HostOwners;
  readonly plugins: Derived<ObjectKey, PluginState>;
  /** What `plugins` came to, for steps to read. */
  readonly pluginStates: Cells<ObjectKey, PluginState>;
  readonly upstreams: Derived<NamespacedName, UpstreamState>;
  /** What `upstreams` came to, for steps to read. */
  readonly upstreamStates: Cells<NamespacedName, UpstreamState>;
  readonly drafts: Derived<NamespacedName, RouteDraft>;
  readonly guarded: GuardedBackends;
  readonly hosts: Hosts;
  readonly certificates: Certificates;
  readonly uses: PluginUses;
  readonly bindings: Bindings;
  readonly verdicts: Verdicts;
  /** As of the last run. */
  compiled: Compiled | undefined;
}

function createStages(options: CompileOptions): Stages {
  const { mode } = options;
  const tracker = new Tracker();
  const objects = new Objects(tracker);
  const owners = new HostOwners(tracker, mode);
  const pluginStates = new Cells<ObjectKey, PluginState>(tracker);
  const upstreamStates = new Cells<NamespacedName, UpstreamState>(tracker);
  const { services, coreServices, grants } = objects;
  const known: Known = {
    services,
    upstreams: upstreamStates,
    coreServices,
    grants,
    owners,
    plugins: pluginStates,
    options,
  };
  const drafts = routeSteps(tracker, objects.routes, known);
  const guarded = new GuardedBackends(tracker, objects.services, mode);
  const hosts = new Hosts({ tracker, owners, plugins: pluginStates, guarded, mode });
  const certificates = new Certificates({ tracker, secrets: objects.secrets, hosts, mode });
  const uses = new PluginUses();
  return {
    objects,
    owners,
    plugins: pluginSteps(tracker, objects, options),
    pluginStates,
    upstreams: upstreamSteps(tracker, objects, options),
    upstreamStates,
    drafts,
    guarded,
    hosts,
    certificates,
    uses,
    bindings: new Bindings(tracker, pluginStates),
    verdicts: new Verdicts({ tracker, broken: objects.broken, known, drafts, hosts, uses, certificates }),
    compiled: undefined,
  };
}

const isPending = ({ plugins, upstreams, drafts, hosts, certificates, bindings, verdicts }: Stages): boolean =>
  [plugins, upstreams, drafts, hosts, certificates, bindings, verdicts].some(({ pending }) => pending);

function sameOptions(a: CompileOptions, b: CompileOptions): boolean {
  return (
    a.plugins === b.plugins &&
    a.external === b.external &&
    a.identityHeaders === b.identityHeaders &&
    a.pems === b.pems &&
    sameFields({ ...a.mode }, { ...b.mode })
  );
}

function sameFields(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.is(a[name], b[name]));
}
