import { own } from '../../../resources/plain.ts';
import type { KubernetesApi } from '../api.ts';
import { FairQueue } from '../fair-queue.ts';
import { microTime } from '../leader/lease.ts';
import { createPace } from '../status/pace.ts';
import { answerText, type Log, onceAMinute, type Timers } from '../world.ts';
import { type EventSubject, eventOf } from './event.ts';
import type { Happening } from './transitions.ts';

export type EventResult = 'sent' | 'dropped' | 'failed';

export interface EventRecorderOptions {
  readonly api: KubernetesApi;
  /** Name of this Pod. */
  readonly instance: string;
  leading(): boolean;
  /** Events in a second; 5. */
  readonly perSecond?: number;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallNow(): number;
  readonly timers: Timers;
  readonly log: Log;
  /** Can't throw. */
  sent?(result: EventResult): void;
}

export interface EventRecorder {
  record(subject: EventSubject, happening: Happening): void;
  /** Forgets what waits: somebody else leads. */
  clear(): void;
  /** Nothing is sent after. */
  stop(): Promise<void>;
}

interface Series {
  readonly subject: EventSubject;
  readonly happening: Happening;
  /** Path of the Event; undefined before it was made. */
  path: string | undefined;
  count: number;
  /** Monotonic. */
  lastAt: number;
}

/** The same reason about the same object within so long is one Event that counts. */
const TOGETHER = 10 * 60_000;
const MOST_SERIES = 2000;
const MOST_WAITING = 200;
const TIMEOUT = 5000;

/**
 * Events (events.k8s.io/v1), as `kubectl describe` shows them. Nobody waits for one and none is sent twice: one that
 * can't be sent is lost, for the status has what counts. The namespaces take turns, and where there are too many, those of
 * the namespace with the most are left out: thousands that one makes cost no other its own.
 */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { now, log } = options;
  const pace = createPace(options.perSecond ?? 5, now);
  const sayAgain = onceAMinute(now);
  const all = new Map<string, Series>();
  /** Keys of `all`, the longest not seen first. */
  const seen = new FairQueue<string>((key) => all.get(key)?.subject.namespace ?? '');
  const waiting = new FairQueue<Series>(({ subject }) => subject.namespace);
  let sending: Promise<void> | undefined;
  let cancelWake: (() => void) | undefined;
  let term = new AbortController();
  let stopped = false;

  const tell = (result: EventResult): void => options.sent?.(result);

  function run(): void {
    if (sending !== undefined || cancelWake !== undefined || waiting.size === 0) return;
    if (!options.leading()) {
      clear();
      return;
    }
    const wait = pace.wait();
    if (wait > 0) {
      cancelWake = options.timers.after(wait, () => {
        cancelWake = undefined;
        run();
      });
      return;
    }
    const series = waiting.next();
    if (series === undefined) return;
    waiting.take(series);
    pace.spend();
    sending = send(series).finally(() => {
      sending = undefined;
      run();
    });
  }

  async function send(series: Series): Promise<void> {
    const { signal } = term;
    try {
      const again = series.path !== undefined && (await countOn(series, series.path, signal));
      if (!again && !signal.aborted) await make(series, signal);
    } catch (error) {
      if (signal.aborted) return;
      tell('failed');
      if (sayAgain('unreachable')) log.info({ err: error }, 'an Event could not be sent; it is lost');
    }
  }

  /** False: it is there no more. */
  async function countOn(series: Series, path: string, signal: AbortSignal): Promise<boolean> {
    const body = { series: { count: series.count, lastObservedTime: microTime(options.wallNow()) } };
    const contentType = 'application/merge-patch+json';
    const answer = await options.api.call({ method: 'PATCH', path, body, contentType, timeout: TIMEOUT, signal });
    if (answer.status === 404) return false;
    took(answer.status, answer.body);
    return true;
  }

  async function make(series: Series, signal: AbortSignal): Promise<void> {
    const { namespace } = series.subject;
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const body = eventOf(series.subject, series.happening, options.instance, options.wallNow());
    const answer = await options.api.call({ method: 'POST', path, body, timeout: TIMEOUT, signal });
    const name = own(own(answer.body, 'metadata'), 'name');
    series.path = typeof name === 'string' && answer.status === 201 ? `${path}/${name}` : undefined;
    series.count = 1;
    took(answer.status, answer.body);
  }

  function took(status: number, body: unknown): void {
    tell(status < 300 ? 'sent' : 'failed');
    if (status < 300 || !sayAgain('refused')) return;
    const advice = status === 403 ? '; the ServiceAccount needs create and patch on events of events.k8s.io' : '';
    log.info({ answer: answerText(status, body) }, `an Event was not taken; it is lost${advice}`);
  }

  function clear(): void {
    term.abort();
    term = new AbortController();
    cancelWake?.();
    cancelWake = undefined;
    waiting.clear();
  }

  /** The series that it belongs to, as it is now. */
  function count(subject: EventSubject, happening: Happening): Series {
    const key = `${subject.uid} ${happening.type} ${happening.reason}`;
    const known = all.get(key);
    const together = known !== undefined && now() - known.lastAt < TOGETHER;
    const series = together ? known : { subject, happening, path: undefined, count: 0, lastAt: 0 };
    series.count += 1;
    series.lastAt = now();
    seen.delete(key);
    all.set(key, series);
    seen.add(key);
    const forgotten = all.size > MOST_SERIES ? seen.surplus() : undefined;
    if (forgotten !== undefined) {
      seen.delete(forgotten);
      all.delete(forgotten);
    }
    return series;
  }

  return {
    record(subject, happening) {
      if (stopped || !options.leading()) return;
      waiting.add(count(subject, happening));
      const dropped = waiting.size > MOST_WAITING ? waiting.surplus() : undefined;
      if (dropped !== undefined) {
        waiting.delete(dropped);
        tell('dropped');
      }
      run();
    },
    clear,
    async stop() {
      stopped = true;
      clear();
      await sending;
    },
  };
}
