import type { Source } from '../../control/source.ts';
import type { Pace } from './backoff.ts';
import { collectionsOf, type KindName } from './collections.ts';
import type { StoredObject } from './objects.ts';
import { watchServedSchema } from './served-schema.ts';
import { createStore, type StoreOptions } from './store.ts';
import type { WatchObserver } from './told.ts';
import { type CollectionHealth, createWatcher, type Watcher } from './watcher.ts';

export interface KubernetesOptions extends StoreOptions {
  readonly pluginKinds: readonly KindName[];
  /** Service and Route as this build knows them; what their CustomResourceDefinitions lack is said. */
  readonly ownKinds?: readonly KindName[];
  readonly metrics: WatchObserver;
  /** 0 ≤ x < 1. */
  random(): number;
  readonly pace?: Pace;
  /** Milliseconds without a byte after which a watch is taken for dead; 75 s. */
  readonly idle?: number;
  /** Milliseconds after which a namespace that is gone or forbidden is no longer waited for; 30 s. */
  readonly patience?: number;
}

export interface KubernetesSource extends Source {
  /** Whether some namespace that is to be watched was never listed whole: what it says of hosts isn't known. */
  incomplete(): boolean;
  /** By the key that `objects` has it under; only of our own kinds. */
  stored(key: string): StoredObject | undefined;
  health(): readonly CollectionHealth[];
}

const PATIENCE = 30_000;

/** Looking for Secrets that no selection shows doesn't hold up the start for longer. */
const SECRETS_PATIENCE = 10_000;

/** The cluster as a source of objects. Whatever the API server does, what is known stays until it says otherwise (F01). */
export function createKubernetesSource(options: KubernetesOptions): KubernetesSource {
  const { timers, now, patience = PATIENCE } = options;
  let dirty: () => void = () => {};
  const store = createStore(options, () => dirty());
  const scopes = namespacesOf(options).map((namespace): Scope => {
    const watchers = collectionsOf(namespace, options.pluginKinds).map((watched) =>
      createWatcher({ ...options, watched, handler: store.handler(watched), patience, turned }),
    );
    return {
      objects: watchers.filter(({ isSecret }) => !isSecret),
      secrets: watchers.filter(({ isSecret }) => isSecret),
    };
  });
  const watchers = scopes.flatMap(({ objects, secrets }) => [...objects, ...secrets]);
  const listed = Promise.withResolvers<void>();
  let late = false;
  let stopped = false;
  let schema: ReturnType<typeof watchServedSchema> | undefined;
  let whole = false;

  function turned(): void {
    for (const { objects, secrets } of scopes) {
      if (stopped || !objects.every((watcher) => watcher.settled())) continue;
      for (const watcher of secrets) watcher.start();
    }
    if (scopes.every((scope) => isListed(scope) || (late && mayBeLeftOut(scope)))) listed.resolve();
    if (whole || !scopes.every(isListed)) return;
    whole = true;
    // Who owns which host can be told from now on, though no object came (DESIGN: Hosts).
    dirty();
  }

  /** With a list of namespaces, one that nobody may see holds up the others only so long. */
  const mayBeLeftOut = ({ objects, secrets }: Scope): boolean =>
    options.namespaces !== 'All' && [...objects, ...secrets].some((watcher) => watcher.forbidden());

  return {
    async start(mark) {
      for (const { objects } of scopes) for (const watcher of objects) watcher.start();
      const cancel = timers.after(patience, () => {
        late = true;
        turned();
      });
      await listed.promise;
      cancel();
      if (stopped) return;
      schema = watchServedSchema({ ...options, kinds: [...(options.ownKinds ?? []), ...options.pluginKinds] });
      await store.begin(SECRETS_PATIENCE);
      dirty = mark;
    },
    objects: () => store.visible,
    changes: store.takeChanges,
    stored: store.stored,
    incomplete: () => !scopes.every(isListed),
    health: () => watchers.map((watcher) => watcher.health(now())),
    async stop() {
      stopped = true;
      schema?.stop();
      listed.resolve();
      store.stop();
      await Promise.all(watchers.map((watcher) => watcher.stop()));
    },
  };
}

const namespacesOf = ({ namespaces }: KubernetesOptions): readonly (string | undefined)[] =>
  namespaces === 'All' ? [undefined] : [...new Set(namespaces)];

/** The list-watches of one namespace, or of all. Secrets come last: by then it is known whose data is needed. */
interface Scope {
  readonly objects: readonly Watcher[];
  readonly secrets: readonly Watcher[];
}

const isListed = ({ objects, secrets }: Scope): boolean =>
  [...objects, ...secrets].every((watcher) => watcher.settled());
