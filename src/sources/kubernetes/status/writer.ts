import { type ApiRequest, type ApiResponse, ApiUnreachable, type KubernetesApi } from '../api.ts';
import { FairQueue } from '../fair-queue.ts';
import { answerText, type Log, onceAMinute, type Timers } from '../world.ts';
import { createPace } from './pace.ts';
import { URGENCIES, type Urgency } from './urgency.ts';

/** One write, made at the moment it is sent, so that it is always the newest that is wanted. */
export interface Write {
  readonly request: ApiRequest;
  /** What one rule of RBAC covers: where a write is forbidden, its like wait too. */
  readonly scope: string;
  /** With the object as the API server answered it. */
  done(body: unknown): void;
}

export type WriteResult = 'written' | 'conflict' | 'forbidden' | 'gone' | 'refused' | 'failed' | 'unreachable';

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
/** Of a turn of the event loop, milliseconds: plans are made in slices. */
const SLICE = 5;
interface Pauses {
  readonly first: number;
  readonly most: number;
}
const BACK_OFF: Pauses = { first: 500, most: 30_000 };
const CONFLICT: Pauses = { first: 250, most: 10_000 };

/**
 * Writes what is marked: the namespaces in turn, of each what somebody waits for (URGENCY), the oldest first; at a bounded
 * rate, one write of an object at a time. Nothing that an answer says makes it faster than that (F17).
 */
export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { api, log, now } = options;
  const pace = createPace(options.perSecond ?? 20, now);
  const sayAgain = onceAMinute(now);
  const ready = new FairQueue<string>(namespaceOf, URGENCIES);
  /** Not before a time. */
  const later = new Map<string, number>();
  const underWay = new Map<string, Promise<void>>();
  /** How often an object's own write failed, one after the other. */
  const tries = new Map<string, number>();
  const forbidden = new Map<string, number>();
  let failures = 0;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let term = new AbortController();
  let stopped = false;
  let wakeAt = Number.POSITIVE_INFINITY;
  let cancelWake = (): void => {};

  function wake(ms: number): void {
    const at = now() + ms;
    if (stopped || at >= wakeAt) return;
    cancelWake();
    wakeAt = at;
    cancelWake = options.timers.after(ms, () => {
      wakeAt = Number.POSITIVE_INFINITY;
      run();
    });
  }

  function run(): void {
    takeDue();
    const startedAt = now();
    for (let key = nextKey(); key !== undefined; key = nextKey()) {
      if (!options.leading()) {
        clear();
        return;
      }
      if (underWay.size >= MOST_UNDER_WAY) return;
      const wait = Math.max(pace.wait(), pausedUntil - now());
      if (wait > 0) {
        wake(wait);
        return;
      }
      ready.take(key);
      consider(key);
      if (now() - startedAt > SLICE) {
        wake(0);
        return;
      }
    }
    let next = Number.POSITIVE_INFINITY;
    for (const at of later.values()) next = Math.min(next, at);
    if (later.size > 0) wake(Math.max(0, next - now()));
  }

  const nextKey = (): string | undefined => ready.next((key) => !underWay.has(key));

  function takeDue(): void {
    for (const [key, at] of later) {
      if (at > now()) continue;
      later.delete(key);
      ready.add(key, options.urgency(key));
    }
  }

  function consider(key: string): void {
    const write = planned(key);
    if (write === undefined) {
      tries.delete(key);
      return;
    }
    const until = forbidden.get(write.scope);
    if (until !== undefined && until > now()) {
      later.set(key, until);
      return;
    }
    pace.spend();
    const flight = send(key, write).finally(() => {
      underWay.delete(key);
      wake(0);
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
    const { status } = answer;
    const fields = { object: key, answer: answerText(status, answer.body) };
    if (status === 200 || status === 201) {
      failures = 0;
      tries.delete(key);
      write.done(answer.body);
      options.written('written');
    } else if (status === 404) {
      options.written('gone');
    } else if (status === 409) {
      // What is known of it is old; the watch brings what is new.
      putOff(key, CONFLICT);
      options.written('conflict');
    } else if (status === 403) {
      forbidden.set(write.scope, now() + FORBIDDEN);
      later.set(key, now() + FORBIDDEN);
      options.written('forbidden');
      const advice = 'the ServiceAccount needs patch on the status of its kind; traffic goes on';
      if (sayAgain('forbidden')) log.warn(fields, `a status may not be written: ${advice}`);
    } else if (isRefusal(answer)) {
      options.written('refused');
      const advice = 'are the CustomResourceDefinitions those of this version? kubectl apply --server-side -f crds/';
      if (sayAgain('refused')) log.warn(fields, `the API server refuses a status: ${advice}`);
    } else {
      options.written('failed');
      if (sayAgain('failed')) log.warn(fields, 'a status could not be written; it is tried again');
      if (status === 429 || status === 503) {
        backOff(key, answer.retryAfter);
        return;
      }
      // Perhaps because of this object alone: it holds the others up for a moment only.
      putOff(key, BACK_OFF);
      pausedUntil = Math.max(pausedUntil, now() + BACK_OFF.first);
    }
  }

  function putOff(key: string, pauses: Pauses): void {
    const before = tries.get(key) ?? 0;
    tries.set(key, before + 1);
    later.set(key, now() + doubled(pauses, before));
  }

  /** Everybody waits, and this one is the oldest still. */
  function backOff(key: string, retryAfter: number | undefined): void {
    const pause = Math.max(doubled(BACK_OFF, failures), retryAfter ?? 0);
    failures += 1;
    pausedUntil = Math.max(pausedUntil, now() + pause);
    ready.giveBack(key, options.urgency(key));
  }

  const doubled = ({ first, most }: Pauses, before: number): number =>
    Math.min(most, first * 2 ** Math.min(before, 20)) * (0.5 + options.random() / 2);

  function clear(): void {
    term.abort();
    term = new AbortController();
    cancelWake();
    wakeAt = Number.POSITIVE_INFINITY;
    ready.clear();
    later.clear();
    tries.clear();
    forbidden.clear();
    failures = 0;
  }

  return {
    mark(key) {
      if (stopped || later.has(key)) return;
      ready.add(key, options.urgency(key));
      wake(0);
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

/** That the same body would be refused again. A field that an older CRD doesn't have is answered with 500. */
function isRefusal({ status, body }: ApiResponse): boolean {
  if (status === 500) return answerText(status, body).includes('failed to create typed patch object');
  return status === 400 || status === 413 || status === 415 || status === 422;
}
