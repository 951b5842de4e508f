import { type ApiRequest, type ApiResponse, ApiUnreachable, type KubernetesApi } from '../api.ts';
import { FairQueue } from '../fair-queue.ts';
import { answerText, type Log, onceAMinute, type Timers } from '../world.ts';
import { createAlarm } from './alarm.ts';
import { createPace } from './pace.ts';
import { createPutOff, type Pauses, pauseOf } from './put-off.ts';
import { URGENCIES, type Urgency } from './urgency.ts';
import { resultOf, type WriteResult } from './write-result.ts';

/** One write, made at the moment it is sent, so that it is always the newest that is wanted. */
export interface Write {
  readonly request: ApiRequest;
  /** What one rule of RBAC covers: where a write is forbidden, its like wait too. */
  readonly scope: string;
  /** With the object as the API server answered it. */
  done(body: unknown): void;
  /** The same would be refused again, so it isn't sent again. `answer`: as text. */
  refused(answer: string): void;
}

export interface StatusWriterOptions {
  readonly api: KubernetesApi;
  /** Undefined: there is nothing to write. Pure but for its memory; may be asked often. */
  plan(key: string): Write | undefined;
  /** Who waits for it; asked when it is marked. */
  urgency(key: string): Urgency;
  /** Asked before each write (F20). */
  leading(): boolean;
  /** Writes in a second; 20. */
  readonly perSecond?: number;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  random(): number;
  readonly timers: Timers;
  readonly log: Log;
  /** Can't throw. */
  written(result: WriteResult): void;
}

export interface StatusWriter {
  /** The object is to be looked at; costs nothing where it is waiting already. */
  mark(key: string): void;
  /** Forgets what waits and breaks off what is under way. Marks are taken again afterwards. */
  clear(): void;
  /** As clear, then resolves when nothing is under way any more; nothing is sent after. */
  stop(): Promise<void>;
}

const MOST_UNDER_WAY = 8;
/** A Lease is somebody else's five seconds after its holder stops at the earliest; no write is under way for longer. */
const TIMEOUT = 5000;
const FORBIDDEN = 60_000;
const NEEDS_PATCH = 'the ServiceAccount needs patch on the status of its kind; traffic goes on';
/** Of a turn of the event loop, milliseconds: plans are made in slices, and requests are served in between. */
const SLICE = 1;
const BACK_OFF: Pauses = { first: 500, most: 30_000 };
const CONFLICT: Pauses = { first: 250, most: 10_000 };
/** Definitions may change; each server of several learns that at a time of its own. */
const REFUSED: Pauses = { first: 120_000, most: 600_000 };

/**
 * Writes what is marked: the namespaces in turn, of each what somebody waits for (URGENCY), the oldest first; at a bounded
 * rate, one write of an object at a time. Nothing that an answer says makes it faster than that (F17).
 */
export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { api, log, now } = options;
  const pace = createPace(options.perSecond ?? 20, now);
  const sayAgain = onceAMinute(now);
  const ready = new FairQueue<string>(namespaceOf, URGENCIES);
  const later = createPutOff(now, options.random);
  const underWay = new Map<string, Promise<void>>();
  const forbidden = new Map<string, number>();
  let failures = 0;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let term = new AbortController();
  let stopped = false;
  const alarm = createAlarm(options.timers, now, run);

  function run(): void {
    for (const key of later.takeDue()) ready.add(key, options.urgency(key));
    const startedAt = now();
    for (let key = nextKey(); key !== undefined; key = nextKey()) {
      if (!options.leading()) {
        clear();
        return;
      }
      if (underWay.size >= MOST_UNDER_WAY) return;
      const wait = Math.max(pace.wait(), pausedUntil - now());
      if (wait > 0) {
        alarm.set(wait);
        return;
      }
      ready.take(key);
      consider(key);
      if (now() - startedAt > SLICE) {
        alarm.set(0);
        return;
      }
    }
    const next = later.next();
    if (next !== undefined) alarm.set(next);
  }

  const nextKey = (): string | undefined => ready.next((key) => !underWay.has(key));

  function consider(key: string): void {
    const write = planned(key);
    if (write === undefined) {
      later.done(key);
      return;
    }
    const until = forbidden.get(write.scope);
    if (until !== undefined && until > now()) {
      later.until(key, until);
      return;
    }
    pace.spend();
    const flight = send(key, write).finally(() => {
      underWay.delete(key);
      if (!stopped) alarm.set(0);
    });
    underWay.set(key, flight);
  }

  function planned(key: string): Write | undefined {
    try {
      return options.plan(key);
    } catch (error) {
      log.error({ err: error, object: key }, 'the status of an object could not be made, which is a bug');
      return undefined;
    }
  }

  async function send(key: string, write: Write): Promise<void> {
    const { signal } = term;
    try {
      const answer = await api.call({ ...write.request, timeout: TIMEOUT, signal });
      if (!signal.aborted) take(key, write, answer);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiUnreachable)) {
        log.error({ err: error, object: key }, 'writing a status failed, which is a bug');
        return;
      }
      options.written('unreachable');
      backOff(key, undefined);
    }
  }

  function take(key: string, write: Write, answer: ApiResponse): void {
    const result = resultOf(answer);
    options.written(result);
    const fields = { object: key, answer: answerText(answer.status, answer.body) };
    switch (result) {
      case 'written':
        failures = 0;
        later.done(key);
        write.done(answer.body);
        break;
      case 'gone':
        break;
      case 'conflict':
        // What is known of it is old; the watch brings what is new.
        later.again(key, CONFLICT);
        break;
      case 'forbidden':
        forbidden.set(write.scope, now() + FORBIDDEN);
        later.until(key, now() + FORBIDDEN);
        if (sayAgain('forbidden')) log.warn(fields, `a status may not be written: ${NEEDS_PATCH}`);
        break;
      case 'refused':
        later.again(key, REFUSED, 'yields');
        write.refused(fields.answer);
        break;
      case 'failed':
        if (sayAgain('failed')) log.warn(fields, 'a status could not be written; it is tried again');
        fail(key, answer);
    }
  }

  function fail(key: string, { status, retryAfter }: ApiResponse): void {
    if (status === 429 || status === 503) {
      backOff(key, retryAfter);
      return;
    }
    // Perhaps because of this object alone: it holds the others up for a moment only.
    later.again(key, BACK_OFF);
    pausedUntil = Math.max(pausedUntil, now() + BACK_OFF.first);
  }

  /** Everybody waits, and this one is the oldest still. */
  function backOff(key: string, retryAfter: number | undefined): void {
    const pause = Math.max(pauseOf(BACK_OFF, failures, options.random), retryAfter ?? 0);
    failures += 1;
    pausedUntil = Math.max(pausedUntil, now() + pause);
    ready.giveBack(key, options.urgency(key));
  }

  function clear(): void {
    term.abort();
    term = new AbortController();
    alarm.clear();
    ready.clear();
    later.clear();
    forbidden.clear();
    failures = 0;
  }

  return {
    mark(key) {
      if (stopped || later.holds(key)) return;
      ready.add(key, options.urgency(key));
      alarm.set(0);
    },
    clear,
    async stop() {
      stopped = true;
      clear();
      await Promise.all(underWay.values());
    },
  };
}

const namespaceOf = (key: string): string => key.split('/', 2)[1] ?? '';
