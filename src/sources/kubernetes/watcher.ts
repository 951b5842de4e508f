import type { KubernetesApi } from './api.ts';
import { PACE, type Pace } from './backoff.ts';
import type { Watched } from './collections.ts';
import { complaint } from './complaint.ts';
import { createListWatch } from './list-watch.ts';
import type { WatchHandler, WatchObserver, WatchState } from './told.ts';
import type { Log, Timers } from './world.ts';

/** One list-watch, for /readyz?verbose and the debug page. */
export interface CollectionHealth {
  /** As metrics call it: `Route`. */
  readonly kind: string;
  /** `routes.postern.dev` */
  readonly resource: string;
  /** Undefined: all. */
  readonly namespace: string | undefined;
  readonly state: WatchState['kind'];
  /** What an operator is told; undefined where all is well. */
  readonly problem: string | undefined;
  readonly listed: boolean;
  /** Seconds since it was last known to be as the API server has it; undefined: never. */
  readonly age: number | undefined;
}

export interface WatcherOptions {
  readonly api: KubernetesApi;
  readonly watched: Watched;
  readonly handler: Pick<WatchHandler, 'upsert' | 'remove'>;
  /** The state is another. */
  turned(): void;
  readonly log: Log;
  readonly metrics: WatchObserver;
  readonly timers: Timers;
  now(): number;
  random(): number;
  readonly pace?: Pace;
  readonly idle?: number;
  /** Milliseconds after which a namespace that is forbidden is spoken of. */
  readonly patience: number;
}

/** A list-watch, and what is said of it. */
export interface Watcher {
  readonly namespace: string | undefined;
  readonly isSecret: boolean;
  start(): void;
  /** It was listed, or is of a kind that the cluster needn't have. */
  settled(): boolean;
  forbidden(): boolean;
  health(now: number): CollectionHealth;
  stop(): Promise<void>;
}

/** An API server that restarts is nothing to talk about. */
const SPEAK_AFTER = 5000;
const SPEAK_AGAIN = 600_000;
/** A kind that the cluster needn't have is looked for so often. */
const OPTIONAL_AGAIN = 180_000;

export function createWatcher(options: WatcherOptions): Watcher {
  const { watched, log, timers } = options;
  const optional = watched.target === 'Grant';
  const { namespace, resource } = watched;
  let cancel: (() => void) | undefined;
  let spoken = false;
  let started = false;
  /** Nobody may see the grants, or there are none: then nothing is granted. For good, whatever becomes of the API server (F01). */
  let doneWithout = false;

  const listWatch = createListWatch({
    api: options.api,
    collection: watched,
    handler: {
      ...options.handler,
      state(state) {
        react(state);
        options.turned();
      },
      failed(error) {
        log.error({ resource, err: error }, 'an object of the API server could not be taken in, which is a bug');
        options.metrics.event(watched.kind, 'Failed');
      },
    },
    observer: options.metrics,
    timers,
    now: options.now,
    random: options.random,
    ...paceOf(options, optional),
    ...(options.idle === undefined ? {} : { idle: options.idle }),
  });

  function react(state: WatchState): void {
    if (state.kind !== 'Failing') {
      cancel?.();
      cancel = undefined;
      if (spoken) log.info({ resource, namespace }, `${resource} is watched again`);
      spoken = false;
      return;
    }
    doneWithout ||= optional && (state.code === 403 || state.code === 404);
    // A cluster without Gateway API is nothing to talk about either.
    if (optional && state.code === 404) return;
    cancel ??= timers.after(state.code === 403 && namespace !== undefined ? options.patience : SPEAK_AFTER, speak);
  }

  function speak(): void {
    const state = listWatch.state();
    if (state.kind !== 'Failing') return;
    spoken = true;
    log.warn({ resource, namespace, code: state.code }, complaint(watched, state));
    cancel = timers.after(SPEAK_AGAIN, speak);
  }

  const failsWith = (...codes: readonly number[]): boolean => {
    const state = listWatch.state();
    return state.kind === 'Failing' && codes.includes(state.code);
  };

  return {
    namespace,
    isSecret: watched.target === 'Label' || watched.target === 'Type',
    start() {
      if (!started) listWatch.start();
      started = true;
    },
    settled: () => listWatch.listed() || doneWithout,
    forbidden: () => failsWith(403),
    health(now) {
      const state = listWatch.state();
      const freshAt = listWatch.freshAt();
      const wanting = state.kind === 'Failing' && !(optional && state.code === 404);
      return {
        kind: watched.kind,
        resource,
        namespace,
        state: state.kind,
        problem: wanting ? complaint(watched, state) : undefined,
        listed: listWatch.listed(),
        age: freshAt === undefined ? undefined : (now - freshAt) / 1000,
      };
    },
    async stop() {
      cancel?.();
      await listWatch.stop();
    },
  };
}

function paceOf({ pace = PACE }: WatcherOptions, optional: boolean): { readonly pace: Pace } {
  return { pace: optional ? { ...pace, absent: OPTIONAL_AGAIN } : pace };
}
