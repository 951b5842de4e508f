import type { KubernetesApi } from '../api.ts';
import { createEventRecorder, type EventResult } from '../events/recorder.ts';
import type { StoredObject } from '../objects.ts';
import type { Log, Timers } from '../world.ts';
import type { ReportedKind } from './place.ts';
import { createPlanner } from './planner.ts';
import type { InstanceReport, ReportChange, ReportedCondition } from './report.ts';
import { createServedStatuses } from './served-statuses.ts';
import type { WriteResult } from './write-result.ts';
import { createStatusWriter } from './writer.ts';

export interface ReporterOptions {
  readonly api: KubernetesApi;
  /** Of other kinds nothing is reported. */
  readonly kinds: readonly ReportedKind[];
  /** `class` of the installation; its name is in the field manager, so that each gives up only its own fields. */
  readonly class: string;
  /** Name of this Pod. */
  readonly instance: string;
  leading(): boolean;
  /** An object as the source knows it; undefined: there is none, so there is nothing to write to. */
  lookup(key: string): StoredObject | undefined;
  /** What each running plugin says of itself now, by key. */
  instances(): ReadonlyMap<string, InstanceReport>;
  /** Conditions of a plugin with what its instance says; undefined: none runs. */
  join(conditions: readonly ReportedCondition[], instance: InstanceReport | undefined): readonly ReportedCondition[];
  /** Status writes in a second; 20. */
  readonly perSecond?: number;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallNow(): number;
  /** From 0 to 1. */
  random(): number;
  readonly timers: Timers;
  readonly log: Log;
  readonly metrics: ReporterObserver;
}

/** The reporter, as metrics see it. What these throw is logged and changes nothing. */
export interface ReporterObserver {
  statusWritten(result: WriteResult): void;
  eventSent(result: EventResult): void;
}

export interface Reporter {
  /**
   * What is to be said otherwise now than after the publication before; all of it at the first. `restarted`: some plugins
   * run that didn't, or don't any more.
   */
  publish(changes: readonly ReportChange[], restarted: boolean): void;
  /** Begin or end of leading, as the elector says it. */
  lead(leading: boolean): void;
  /** Begins to look at the running plugins, every five seconds and more often while one hasn't decided. */
  start(): void;
  tick(): void;
  /** To be called before the elector gives the Lease back: resolves when nothing more is under way. */
  stop(): Promise<void>;
}

const TICK = 5000;
/** While an instance hasn't decided: the first answer is written at once. */
const TICK_AT_FIRST = 500;
/** All are looked at again so often, for a status that somebody else changed. */
const RESYNC = 10 * 60_000;
/** Objects that are looked at in one turn of the event loop. */
const TURN = 256;

/**
 * Statuses and Events of all objects, of the replica that leads. Level-based: each look at an object compares what is to
 * be said with what is stored, and only a difference is written; so a restart with nothing changed writes nothing.
 */
export function createReporter(options: ReporterOptions): Reporter {
  const { log, now, leading, api, timers, wallNow } = options;
  const contained =
    <T>(tell: (value: T) => void) =>
    (value: T): void => {
      try {
        tell(value);
      } catch (error) {
        log.error({ err: error }, 'reporting failed in a part of it, which is a bug');
      }
    };
  const events = createEventRecorder({
    api,
    instance: options.instance,
    leading,
    now,
    wallNow,
    timers,
    log,
    sent: contained((result: EventResult) => options.metrics.eventSent(result)),
  });
  const served = createServedStatuses({
    ...options,
    again: (key) => writer.mark(key),
    changed: (kind) => markAll(`${kind}/`),
  });
  const planner = createPlanner({ ...options, served, happened: events.record });
  const writer = createStatusWriter({
    api,
    plan: planner.plan,
    urgency: planner.urgency,
    leading,
    ...(options.perSecond === undefined ? {} : { perSecond: options.perSecond }),
    now,
    random: options.random,
    timers,
    log,
    written: contained((result: WriteResult) => options.metrics.statusWritten(result)),
  });
  let lookedAt = now();
  let tickAt = Number.POSITIVE_INFINITY;
  let cancelTick = (): void => {};
  const toMark = new Set<string>();
  let cancelMarking = (): void => {};
  let started = false;

  /** In turns, for a look at 12,000 objects would hold the loop up for 30 ms. */
  const markAll = (prefix = ''): void => {
    if (prefix === '') lookedAt = now();
    for (const key of planner.keys()) if (key.startsWith(prefix)) toMark.add(key);
    cancelMarking();
    markSome();
  };

  function markSome(): void {
    let marked = 0;
    for (const key of toMark) {
      toMark.delete(key);
      writer.mark(key);
      if (++marked === TURN) break;
    }
    if (toMark.size > 0) cancelMarking = timers.after(0, markSome);
  }

  function forgetMarks(): void {
    cancelMarking();
    toMark.clear();
  }

  function tick(): void {
    const unsettled = planner.observe(options.instances());
    if (!leading()) return;
    if (now() - lookedAt >= RESYNC) markAll();
    for (const key of unsettled) writer.mark(key);
  }

  function tickOn(): void {
    const ms = planner.undecided() ? TICK_AT_FIRST : TICK;
    if (!started || now() + ms >= tickAt) return;
    cancelTick();
    tickAt = now() + ms;
    cancelTick = timers.after(ms, () => {
      tickAt = Number.POSITIVE_INFINITY;
      contained(tick)(undefined);
      tickOn();
    });
  }

  return {
    publish(changes, restarted) {
      const changed = planner.take(changes);
      if (restarted) planner.observe(options.instances());
      tickOn();
      if (leading()) for (const key of changed) writer.mark(key);
      else planner.forget();
    },
    lead(begins) {
      forgetMarks();
      writer.clear();
      events.clear();
      planner.forget();
      if (begins) markAll();
    },
    start() {
      started = true;
      tickOn();
    },
    tick,
    async stop() {
      started = false;
      cancelTick();
      forgetMarks();
      served.stop();
      await Promise.all([writer.stop(), events.stop()]);
    },
  };
}
