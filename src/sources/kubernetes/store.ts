import type { SourceObject } from '../../control/source.ts';
import type { Plain } from '../../resources/plain.ts';
import type { KubernetesApi } from './api.ts';
import type { Watched } from './collections.ts';
import { Objects, type StoredObject, storedOf } from './objects.ts';
import { createSecrets, PINNED, type Secrets } from './secrets.ts';
import type { WatchHandler } from './told.ts';
import { trimCoreService, trimObject } from './trim.ts';
import { createWarming, type Warming } from './warming.ts';
import type { Log, Timers } from './world.ts';

export interface StoreOptions {
  readonly api: KubernetesApi;
  readonly namespaces: 'All' | readonly string[];
  /** `namespace/name` of the Secrets that one object of our kinds refers to, whatever is in it. What it throws counts as none. */
  referencedSecrets(value: unknown): readonly string[];
  /** Secrets that are needed whatever the objects say, such as the default certificate. */
  readonly pinnedSecrets?: readonly string[];
  readonly endpoints: EndpointSink;
  readonly log: Log;
  /** Key of an object of our kinds whose status was written, by whomever; what is parsed of it is the same. */
  statusChanged?(key: string): void;
  readonly timers: Timers;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

/** Core Services and EndpointSlices as they come, undefined where they are gone; keys are `namespace/name`. */
export interface EndpointSink {
  service(name: string, value: unknown): void;
  slice(name: string, value: unknown): void;
}

/** Where the objects of all list-watches go. */
export interface Store {
  readonly visible: ReadonlyMap<string, SourceObject>;
  /** Keys of `visible` that were put or deleted since this was called last. */
  takeChanges(): ReadonlySet<string>;
  stored(key: string): StoredObject | undefined;
  handler(watched: Watched): Pick<WatchHandler, 'upsert' | 'remove'>;
  /** Everything was listed: Secrets that weren't among that are looked for, for at most so many milliseconds. */
  begin(patience: number): Promise<void>;
  stop(): void;
}

/** `dirty`: what control sees is another. */
export function createStore(options: StoreOptions, dirty: () => void): Store {
  const { endpoints, timers, namespaces } = options;
  const objects = new Objects();
  const stored = new Map<string, StoredObject>();
  const secrets: Secrets = createSecrets({
    api: options.api,
    watched: (namespace) => namespaces === 'All' || namespaces.includes(namespace),
    changed(name, value) {
      put(keyOf('Secret', name), value);
      warming.known(name);
    },
    timers,
    now: options.now,
  });
  const warming: Warming = createWarming({ objects, secrets, references, changed: dirty, timers });

  function references(value: Plain): readonly string[] {
    try {
      return [...new Set(options.referencedSecrets(value))];
    } catch (error) {
      options.log.error({ err: error }, 'the references of an object could not be read, which is a bug');
      return [];
    }
  }

  /** Undefined: gone. */
  function put(key: string, value: Plain | undefined): void {
    if (value === undefined ? objects.delete(key) : objects.put(key, value)) dirty();
  }

  /** An object of our kinds. */
  function putOurs(key: string, object: Plain, value: Plain): void {
    const onlyStatus = stored.has(key) && objects.has(key, value);
    stored.set(key, storedOf(object));
    warming.put(key, value);
    if (onlyStatus) options.statusChanged?.(key);
  }

  function handler(watched: Watched): Pick<WatchHandler, 'upsert' | 'remove'> {
    const { target, kind, apiVersion } = watched;
    switch (target) {
      case 'Object':
        return {
          upsert: ({ name, object }) => putOurs(keyOf(kind, name), object, trimObject(object, apiVersion, kind)),
          remove(name) {
            stored.delete(`${kind}/${name}`);
            warming.delete(`${kind}/${name}`);
          },
        };
      case 'CoreService':
        return {
          upsert({ name, object }) {
            endpoints.service(name, object);
            put(keyOf(kind, name), trimCoreService(object));
          },
          remove(name) {
            endpoints.service(name, undefined);
            put(`${kind}/${name}`, undefined);
          },
        };
      case 'Slice':
        return {
          upsert: ({ name, object }) => endpoints.slice(name, object),
          remove: (name) => endpoints.slice(name, undefined),
        };
      case 'Grant':
        return {
          upsert: ({ name, object }) => put(keyOf(kind, name), trimObject(object, apiVersion, kind)),
          remove: (name) => put(`${kind}/${name}`, undefined),
        };
      case 'Label':
      case 'Type':
        return {
          upsert: (item) => secrets.upsert(target, item),
          remove: (name) => secrets.remove(target, name),
        };
    }
  }

  return {
    visible: objects.visible,
    takeChanges: () => objects.takeChanges(),
    stored: (key) => stored.get(key),
    handler,
    async begin(patience) {
      warming.begin();
      secrets.refer(PINNED, options.pinnedSecrets ?? []);
      secrets.begin();
      const late = Promise.withResolvers<void>();
      const cancel = timers.after(patience, late.resolve);
      await Promise.race([secrets.idle(), late.promise]);
      cancel();
    },
    stop() {
      secrets.stop();
      warming.stop();
    },
  };
}

/** Flat, for it is held as long as the object: what `+` gives would hold both its halves too. */
const keyOf = (kind: string, name: string): string => [kind, name].join('/');
