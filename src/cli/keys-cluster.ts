import { randomBytes } from 'node:crypto';
import { formatKeyList, generateKey, parseKeyList } from '../keys/key-list.ts';
import { createKeyRing, type LiveKeyRing } from '../keys/live-ring.ts';
import type { KeyRing } from '../keys/ring.ts';
import type { PluginLog } from '../plugins/contract.ts';
import type { Checked } from '../resources/problem.ts';
import type { KubernetesApi } from '../sources/kubernetes/api.ts';
import { createKeysSecret, type KeyStore } from '../sources/kubernetes/keys-secret.ts';
import { timers } from './timers.ts';

export interface ClusterKeysOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** Of the Secret. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly log: PluginLog;
}

export interface ClusterKeys {
  /** Resolves when keys were read, however long that takes. */
  readonly ring: Promise<KeyRing>;
  /** Why not yet. */
  failure(): string | undefined;
  close(): void;
}

/** The keys that all replicas share, in a Secret that whoever comes first makes. */
export function openClusterKeys({ api, namespace, name, now, log }: ClusterKeysOptions): ClusterKeys {
  const opened = Promise.withResolvers<KeyRing>();
  let ring: LiveKeyRing | undefined;
  const tell = (ids: readonly string[], before: readonly string[]): void => {
    if (ids.join() !== before.join()) log.info({ keys: ids }, `session keys read from Secret ${namespace}/${name}`);
  };
  const store: KeyStore = {
    take(text) {
      const before = ring?.ids() ?? [];
      const taken = ring === undefined ? firstRing(text) : ring.replace(text);
      if (!taken.ok) return reasons(taken);
      tell(ring?.ids() ?? [], before);
      return undefined;
    },
    make: () => formatKeyList(ring?.list() ?? [generateKey(now(), randomBytes)]),
  };
  const firstRing = (text: string): Checked<unknown> => {
    const keys = parseKeyList(text);
    if (!keys.ok) return keys;
    ring = createKeyRing(keys.value, now);
    opened.resolve(ring);
    return keys;
  };
  const secret = createKeysSecret({
    api,
    namespace,
    name,
    store,
    log,
    now: () => performance.now(),
    random: Math.random,
    timers,
  });
  secret.start();
  return { ring: opened.promise, failure: secret.failure, close: secret.stop };
}

const reasons = (checked: Checked<unknown>): string =>
  checked.ok ? '' : checked.problems.map(({ message }) => message).join(' ');
