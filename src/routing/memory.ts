import type { HostPattern } from '../resources/hostname.ts';
import type { NamespacedName, ObjectKey } from '../resources/keys.ts';
import type { CoreServiceResource, SecretResource, ServiceResource } from '../resources/resource.ts';
import type { CertificateMemory } from './certificates.ts';
import type { CompiledHost } from './compile-host.ts';
import type { PluginMemory, PluginState } from './compile-plugins.ts';
import type { RouteDraft } from './compile-routes.ts';
import type { Grants } from './grants.ts';
import type { Ownership } from './host-owners.ts';
import type { Found } from './indexed.ts';
import { Memo, Recorder, Watched } from './memo.ts';
import { type IndexMemory, indexMemory } from './objects.ts';
import type { CompileOptions } from './options.ts';
import type { PluginBinding, Verdict } from './snapshot.ts';
import { Order } from './sorted.ts';
import type { Steps } from './steps.ts';
import { sameVerdict } from './verdicts.ts';

/**
 * What one run of compiling leaves for the next, so that a change costs about what it changes. It never decides anything:
 * with it or without, the same objects compile to the same. One run at a time.
 */
export class CompileMemory {
  #options: CompileOptions | undefined;
  #parts: Remembered = remembered();
  #whole = true;

  /** Under other options everything is another; what a run left that didn't end is of no use. */
  begin(options: CompileOptions): Remembered {
    const known = this.#options !== undefined && sameOptions(this.#options, options);
    if (!known || !this.#whole || isOvergrown(this.#parts)) this.#parts = remembered();
    this.#options = options;
    this.#whole = false;
    return this.#parts;
  }

  /** Forgets what the run didn't ask for. */
  *end(): Steps<void> {
    yield* forgetUnused(this.#parts);
    this.#whole = true;
  }
}

const lookupsOf = ({ watched, plugins }: Remembered): readonly Pick<Watched<unknown, unknown>, 'size' | 'end'>[] => [
  ...Object.values(watched),
  plugins.secrets,
];

/** Keys that were read once are forgotten with everything else only. */
const isOvergrown = (parts: Remembered): boolean =>
  lookupsOf(parts).reduce((sum, { size }) => sum + size, 0) > 10_000 + 10 * (parts.drafts.size + parts.hosts.size);

export interface Remembered {
  readonly recorder: Recorder;
  readonly index: IndexMemory;
  readonly owners: Memo<HostPattern, Ownership>;
  readonly grants: Memo<'grants', Grants>;
  readonly plugins: PluginMemory;
  readonly drafts: Memo<NamespacedName, RouteDraft>;
  readonly hosts: Memo<HostPattern, CompiledHost>;
  readonly hostOrder: Order<HostPattern>;
  readonly certificates: CertificateMemory;
  readonly bindings: Memo<ObjectKey, PluginBinding>;
  readonly verdicts: Memo<ObjectKey, Verdict>;
  readonly watched: {
    readonly services: Watched<NamespacedName, Found<ServiceResource> | undefined>;
    readonly coreServices: Watched<NamespacedName, Found<CoreServiceResource> | undefined>;
    readonly owners: Watched<string, Ownership>;
    readonly plugins: Watched<ObjectKey, PluginState | undefined>;
    readonly guarded: Watched<ServiceResource, boolean>;
  };
}

function remembered(): Remembered {
  const recorder = new Recorder();
  return {
    recorder,
    index: indexMemory(recorder),
    owners: new Memo(recorder),
    grants: new Memo(recorder),
    plugins: {
      states: new Memo(recorder),
      secrets: new Watched<NamespacedName, Found<SecretResource> | undefined>(recorder),
    },
    drafts: new Memo(recorder),
    hosts: new Memo(recorder),
    hostOrder: new Order((a, b) => (a < b ? -1 : 1)),
    certificates: { pairs: new Memo(recorder), shown: new Memo(recorder), all: new Memo(recorder) },
    bindings: new Memo(recorder),
    verdicts: new Memo(recorder, sameVerdict),
    watched: {
      services: new Watched(recorder),
      coreServices: new Watched(recorder),
      owners: new Watched(recorder),
      plugins: new Watched(recorder),
      guarded: new Watched(recorder),
    },
  };
}

function* forgetUnused(parts: Remembered): Steps<void> {
  for (const lookup of lookupsOf(parts)) lookup.end();
  const { index, owners, grants, plugins, drafts, hosts, certificates, bindings, verdicts } = parts;
  const memos = [index.indexed, owners, grants, plugins.states, drafts, hosts, bindings, verdicts];
  for (const memo of [...memos, certificates.pairs, certificates.shown, certificates.all]) yield* memo.turn();
}

function sameOptions(a: CompileOptions, b: CompileOptions): boolean {
  return (
    a.plugins === b.plugins &&
    a.external === b.external &&
    a.identityHeaders === b.identityHeaders &&
    sameFields({ ...a.mode }, { ...b.mode })
  );
}

function sameFields(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.is(a[name], b[name]));
}
