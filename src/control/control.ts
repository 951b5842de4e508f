import type { PluginKind, PluginLog, PluginWorld } from '../plugins/contract.ts';
import type { ObjectKey } from '../resources/keys.ts';
import type { Parsed } from '../resources/resource.ts';
import type { ParsedChange, ParsedObjects } from '../routing/changes.ts';
import type { InstanceStatus } from '../routing/decision.ts';
import type { PluginConfig } from '../routing/plugin-rules.ts';
import type { Compiled, Snapshot, Verdict } from '../routing/snapshot.ts';
import type { Steps } from '../routing/steps.ts';
import { changedVerdicts, type VerdictChange } from './changed-verdicts.ts';
import { CompiledHash } from './compiled-hash.ts';
import type { ContentHash } from './content-hash.ts';
import { createGenerations } from './generations.ts';
import { createInstances, instanceStatus } from './instances.ts';
import type { Acquire } from './lease.ts';
import { createParseMemo, noteChanges, type Origins, type Parse } from './parse-memo.ts';
import { createQuiet, type Timers } from './quiet.ts';
import { runInSlices } from './slices.ts';
import type { Source } from './source.ts';
import { withInstanceStatuses } from './status.ts';

export interface ControlOptions {
  readonly source: Source;
  /** parseObject with the installation's kinds and class bound to it. */
  readonly parse: Parse;
  /**
   * compileSteps with the installation's kinds, outside address and memory bound to it. Independent of order. One run is
   * finished or given up before the next is begun.
   */
  compile(objects: ParsedObjects): Steps<Compiled>;
  readonly kinds: readonly Pick<PluginKind, 'kind' | 'start'>[];
  /** What a new instance is given. */
  world(config: PluginConfig): PluginWorld;
  readonly timers: Timers;
  /** Runs `run` in a later turn of the event loop, so that what waits there is served first. */
  nextTurn(run: () => void): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  readonly log: PluginLog;
  readonly metrics: ControlObserver;
  /** After the swap. What it throws is logged and changes nothing. */
  onPublished(publication: Publication): void;
  /** Quiet time before compiling, and the longest it can be put off; 50 and 250 ms. */
  readonly quietMs?: number;
  readonly ceilingMs?: number;
  /** How long one turn of the event loop may be held up by a change (F12, A163); 0.5 ms. */
  readonly sliceMs?: number;
}

export interface Publication {
  readonly snapshot: Snapshot;
  /** The one before; `snapshot` itself where only verdicts changed; undefined the first time. */
  readonly previous: Snapshot | undefined;
  /** As of now: the next publication changes them. */
  readonly verdicts: ReadonlyMap<ObjectKey, Verdict>;
  readonly changed: readonly VerdictChange[];
  readonly parsed: ParsedNews;
  readonly origins: Origins;
}

/** All objects as of now, and those that are others than at the publication before. */
export interface ParsedNews {
  values(): Iterable<Parsed>;
  readonly changes: Iterable<ParsedChange>;
}

/** Control, as metrics see it. What these throw is logged and changes nothing. */
export interface ControlObserver {
  reconciled(result: 'published' | 'unchanged' | 'failed', seconds: number): void;
  published(publication: Publication): void;
}

export interface Control {
  /**
   * Resolves at the first publication. Rejects with the source's error where the source can't start; a compiler that
   * fails the first time is logged, counted and tried again at the next change, as later on.
   */
  start(): Promise<void>;
  readonly acquire: Acquire;
  /** Undefined before the first publication and after stop. */
  current(): Snapshot | undefined;
  /** What compiling said last, plugins with `ProviderReady` as of now. */
  verdicts(): ReadonlyMap<ObjectKey, Verdict>;
  /** What each running plugin says of itself. */
  instances(): ReadonlyMap<ObjectKey, InstanceStatus>;
  /** Ends the source and, when their last lease ended, the instances. */
  stop(): Promise<void>;
}

/**
 * The control loop (DESIGN: A change): dirty, a short quiet time, parse, compile, publish. One reference is swapped, all
 * at once and only for a whole and consistent snapshot, so that there is no moment at which a route that is closed before
 * and after is open (F16, A176). Whatever goes wrong on the way, the last snapshot stays (F14).
 */
export function createControl(options: ControlOptions): Control {
  const { log, source } = options;
  const parseAll = createParseMemo(options.parse);
  const instances = createInstances(options);
  const generations = createGenerations(instances.letGo);
  const firstPublication = Promise.withResolvers<void>();
  const quiet = createQuiet({
    timers: options.timers,
    now: options.now,
    quietMs: options.quietMs ?? 50,
    ceilingMs: options.ceilingMs ?? 250,
    run: reconcile,
  });
  const verdicts = new Map<ObjectKey, Verdict>();
  /** Objects that changed since the last publication. */
  const untold = new Map<string, ParsedChange>();
  const hash = new CompiledHash();
  /** The last run came to its end. */
  let whole = false;
  /** Of the current snapshot. */
  let contentNow = '';
  let running = false;
  /** Something changed while a run was under way. */
  let again = false;
  let stopRun = (): void => {};
  let phase: 'Reading' | 'Running' | 'Stopped' = 'Reading';

  function reconcile(): void {
    if (running) {
      // What changed meanwhile may have been read already, or not.
      again = true;
      return;
    }
    running = true;
    const startedAt = options.now();
    stopRun = runInSlices(update(), { ...options, sliceMs: options.sliceMs ?? 0.5 }, (outcome) => {
      running = false;
      // What a run leaves in its steps is as much as it changed, which at the start is everything.
      stopRun = () => {};
      if (outcome.kind === 'Failed') {
        const message = 'compiling failed, which is a bug; the last table stays, the next change tries again';
        log.error({ err: outcome.error }, message);
      }
      contained(() => {
        const result = outcome.kind === 'Done' ? outcome.value : 'failed';
        options.metrics.reconciled(result, (options.now() - startedAt) / 1000);
      });
      if (again) quiet.mark();
      again = false;
    });
  }

  /** One run, in slices: what is seen of it outside happens at once, and is told in the steps after that. */
  function* update(): Steps<'published' | 'unchanged'> {
    const { objects, origins } = yield* parseAll(source);
    noteChanges(untold, objects.changes);
    const compiled = yield* compileWhole(objects);
    const content = yield* hash.update(compiled);
    const changed = yield* changedVerdicts(verdicts, compiled);
    const previous = generations.current();
    const snapshot = publish(compiled, content, changed);
    whole = true;
    const result = snapshot === previous ? 'unchanged' : 'published';
    if (result === 'published' || changed.length > 0) {
      const parsed = { values: () => objects.all.values(), changes: [...untold.values()] };
      untold.clear();
      yield* tell({ snapshot, previous, verdicts, changed, parsed, origins });
    }
    firstPublication.resolve();
    return result;
  }

  /** After a run that failed on its way, what changed since the run before it isn't all that changed. */
  function* compileWhole(objects: ParsedObjects): Steps<Compiled> {
    const known = whole;
    whole = false;
    const compiled = yield* options.compile(objects);
    return known ? compiled : { ...compiled, changed: undefined };
  }

  /** Where the content is what it was, the snapshot stays. */
  function publish(compiled: Compiled, content: ContentHash, changed: readonly VerdictChange[]): Snapshot {
    const current = generations.current();
    const stale = current === undefined || content.whole !== contentNow || someInstanceIsBroken();
    const snapshot = stale ? swap(compiled, content.shown) : current;
    contentNow = content.whole;
    for (const { key, after } of changed) {
      if (after === undefined) verdicts.delete(key);
      else verdicts.set(key, after);
    }
    return snapshot;
  }

  function swap(compiled: Compiled, hash: string): Snapshot {
    const generation = (generations.current()?.generation ?? 0) + 1;
    const snapshot: Snapshot = {
      generation,
      hash,
      table: compiled.table,
      plugins: compiled.plugins,
      certificates: compiled.certificates,
    };
    Object.freeze(snapshot);
    generations.replace(snapshot, instances.take(snapshot.plugins, generations.held()));
    return snapshot;
  }

  function* tell(publication: Publication): Steps<void> {
    yield;
    contained(() => {
      options.metrics.published(publication);
    });
    yield;
    contained(() => {
      options.onPublished(publication);
    });
  }

  function contained(notify: () => void): void {
    try {
      notify();
    } catch (error) {
      log.error({ err: error }, 'an observer of the control loop failed, which is a bug');
    }
  }

  const someInstanceIsBroken = (): boolean => [...generations.held().values()].some((held) => held.broken);

  return {
    async start() {
      // Before everything was read once there is no consistent whole to compile (F28).
      await source.start(() => {
        if (phase === 'Running') quiet.mark();
      });
      if (phase === 'Stopped') return;
      phase = 'Running';
      reconcile();
      await firstPublication.promise;
    },
    acquire: generations.acquire,
    current: generations.current,
    verdicts() {
      return withInstanceStatuses(
        verdicts,
        (key) => options.kinds.some(({ kind }) => key.startsWith(`${kind}/`)),
        (key) => instanceStatus(generations.held().get(key)),
      );
    },
    instances() {
      const statuses = new Map<ObjectKey, InstanceStatus>();
      for (const [key, held] of generations.held()) {
        const status = instanceStatus(held);
        if (status !== undefined) statuses.set(key, status);
      }
      return statuses;
    },
    async stop() {
      phase = 'Stopped';
      quiet.stop();
      stopRun();
      // Who still waits for a first publication isn't left hanging.
      firstPublication.resolve();
      generations.end();
      await source.stop();
    },
  };
}
