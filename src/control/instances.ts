import type { PluginKind, PluginLog, PluginWorld } from '../plugins/contract.ts';
import type { ObjectKey } from '../resources/keys.ts';
import type { InstanceStatus, PluginInstance } from '../routing/decision.ts';
import type { PluginConfig } from '../routing/plugin-rules.ts';
import type { PluginBinding } from '../routing/snapshot.ts';
import { frozenHash } from './frozen-hash.ts';

/** A running plugin, and how many generations hold it. */
export interface Held {
  readonly instance: PluginInstance;
  readonly config: PluginConfig;
  /** Of the config with its secrets. */
  readonly fingerprint: string;
  /** It threw when it was started; the next publication tries again. */
  readonly broken: boolean;
  holders: number;
}

export interface InstancesOptions {
  readonly kinds: readonly Pick<PluginKind, 'kind' | 'start'>[];
  world(config: PluginConfig): PluginWorld;
  readonly log: PluginLog;
}

type Bindings = ReadonlyMap<ObjectKey, PluginBinding>;

export interface Instances {
  /**
   * An instance for each binding, held once more: the one of `before` where its config is equal, with all that it knows
   * (discovery, keys), else a new one, started and not waited for, which is handed the one of `before` to learn from. A
   * kind that throws gets a stand-in that refuses.
   */
  take(bindings: Bindings, before: ReadonlyMap<ObjectKey, Held>): ReadonlyMap<ObjectKey, Held>;
  /** Lets each go once; the last to let go stops it. */
  letGo(held: ReadonlyMap<ObjectKey, Held>): void;
}

export function createInstances(options: InstancesOptions): Instances {
  const { log } = options;
  /** What each answer of `take` was made of, and how often it was given and not let go. */
  const given = new Map<ReadonlyMap<ObjectKey, Held>, { readonly bindings: Bindings; times: number }>();

  const start = (config: PluginConfig, fingerprint: string, before: Held | undefined): Held => {
    try {
      const kind = options.kinds.find((candidate) => candidate.kind === config.kind);
      if (kind === undefined) throw new Error(`no plugin kind ${config.kind}`);
      const instance = kind.start(
        config,
        options.world(config),
        before?.broken === false ? before.instance : undefined,
      );
      return { instance, config, fingerprint, broken: false, holders: 0 };
    } catch (error) {
      log.error({ plugin: config.key, err: error }, 'plugin did not start; its routes are refused');
      return { instance: REFUSES, config, fingerprint, broken: true, holders: 0 };
    }
  };

  return {
    take(bindings, before) {
      const again = given.get(before);
      // Most tables differ in Routes only, and a Map of a thousand for each is garbage that grows old.
      if (again?.bindings === bindings && !someBroken(before)) {
        again.times += 1;
        return before;
      }
      const held = new Map<ObjectKey, Held>();
      given.set(held, { bindings, times: 1 });
      for (const { config } of bindings.values()) {
        const fingerprint = frozenHash(config).whole;
        const known = before.get(config.key);
        const kept = known !== undefined && !known.broken && known.fingerprint === fingerprint;
        const entry = kept ? known : start(config, fingerprint, known);
        entry.holders += 1;
        held.set(config.key, entry);
      }
      return held;
    },
    letGo(held) {
      const of = given.get(held);
      if (of !== undefined && --of.times > 0) return;
      given.delete(held);
      for (const entry of held.values()) {
        entry.holders -= 1;
        if (entry.holders > 0) continue;
        try {
          entry.instance.stop();
        } catch (error) {
          log.error({ plugin: entry.config.key, err: error }, 'plugin did not stop cleanly');
        }
      }
    },
  };
}

function someBroken(held: ReadonlyMap<ObjectKey, Held>): boolean {
  for (const { broken } of held.values()) if (broken) return true;
  return false;
}

/** What a running plugin says of itself; undefined for none. One that throws is told as such. */
export function instanceStatus(held: Held | undefined): InstanceStatus | undefined {
  try {
    return held?.instance.status();
  } catch {
    return STATUS_FAILED;
  }
}

const STATUS_FAILED: InstanceStatus = {
  status: 'Unknown',
  reason: 'StatusFailed',
  message: 'The plugin could not say how it is, which is a bug.',
};

const REFUSED = {
  kind: 'respond',
  status: 503,
  headers: [],
  cookies: [],
  notice: {
    code: 'plugin_failed',
    title: 'Not available',
    text: 'What guards this place could not be started, so nobody is let in.',
    advice: 'Whoever runs this gateway finds the reason in its log.',
    action: undefined,
  },
  outcome: 'plugin_failed',
} as const;

const NOT_STARTED: InstanceStatus = {
  status: 'False',
  reason: 'StartFailed',
  message: 'The plugin could not be started; its routes are refused. The log has the cause.',
};

const REFUSES: PluginInstance = {
  decide: () => REFUSED,
  answer: () => REFUSED,
  status: () => NOT_STARTED,
  stop: () => {},
};
