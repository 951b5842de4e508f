import { type ApiRequest, type ApiResponse, ApiUnreachable, type KubernetesApi } from '../api.ts';
import { answerText, type Log, onceAMinute, type Timers } from '../world.ts';
import { callInTime } from './call-in-time.ts';
import { claimed, type LeaseClaim, readLease, type StoredLease } from './lease.ts';
import { release } from './release.ts';
import { createTerm } from './term.ts';

export interface ElectorOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Of this process and no other, ever: name of the Pod and a random part. */
  readonly identity: string;
  /** Milliseconds of a monotonic clock: a leader counts on it, and nobody's clock is compared with another's. */
  now(): number;
  /** Milliseconds since the epoch, for what people read in the Lease. */
  wallNow(): number;
  /** From 0 to 1, so that candidates don't knock all at once. */
  random(): number;
  readonly timers: Timers;
  readonly log: Log;
  /** Each time this process begins or ends to lead. After the end nothing more may be sent (F20). */
  onChange(leading: boolean): void;
  readonly times?: ElectorTimes;
}

/** Milliseconds. */
export interface ElectorTimes {
  /** So long after the record last changed, as seen from here, may another take it. */
  readonly lease: number;
  /** So long after a renewal was sent does its sender lead. The rest up to `lease` is for what is still under way. */
  readonly renewDeadline: number;
  readonly retry: number;
}

export interface Elector {
  start(): void;
  /** Ends leading, then gives the Lease back, so that another leads at once. Doesn't reject. */
  stop(): Promise<void>;
  /** As of now, whatever timer is late: a process that was stopped for a minute (SIGSTOP) wakes up as no leader. */
  leading(): boolean;
}

/** As in client-go. */
const ELECTOR_TIMES: ElectorTimes = { lease: 15_000, renewDeadline: 10_000, retry: 2000 };

/** One call takes so much of the deadline at most, so that a connection that hangs leaves room for another try. */
const PART_OF_DEADLINE = 2;

/**
 * Elects one of several replicas by a Lease, as client-go does (F19, F20, F56). Never two at one time, as long as clocks
 * run equally fast: a leader counts its time from before a renewal was sent, all others from when they saw it or later,
 * and every write names the version that was read.
 */
export function createElector(options: ElectorOptions): Elector {
  const { api, identity, now, log } = options;
  const times = options.times ?? ELECTOR_TIMES;
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
  const path = `${leases}/${options.name}`;
  const sayAgain = onceAMinute(now);
  /** What the server answered last to a read or to a write of ours. */
  let known: StoredLease | undefined;
  /** `known` is there no more. */
  let deleted = false;
  /** When the record was last seen to be another. */
  let observedAt = Number.NEGATIVE_INFINITY;
  const term = createTerm(options);
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let cancelNext = (): void => {};
  const stopping = new AbortController();
  const send = (request: ApiRequest) =>
    callInTime(api, options.timers, request, times.renewDeadline / PART_OF_DEADLINE, stopping.signal);

  function round(): void {
    running = attempt().then(() => {
      if (stopped) return;
      cancelNext = options.timers.after(pause(), round);
    });
  }

  /** Milliseconds. Who waits for another looks once more when that one's time is over, and not only after it. */
  function pause(): number {
    if (term.leads()) return times.retry;
    const usual = times.retry * (1 + 1.2 * options.random());
    const left = known === undefined ? 0 : endOf(known) - now();
    return left > 0 ? Math.min(usual, left + (times.retry / 10) * options.random()) : usual;
  }

  async function attempt(): Promise<void> {
    try {
      if (term.leads() && known !== undefined && (await renew(known))) return;
      const seen = await read();
      if (seen === 'Unusable' || !mayTake(seen)) return;
      await take(seen);
    } catch (error) {
      if (stopped) return;
      // Whatever it was, the next round tries again: who stops trying never leads again.
      if (!(error instanceof ApiUnreachable)) log.error({ err: error }, 'electing failed, which is a bug');
      else if (sayAgain('unreachable')) log.warn({ err: error, lease: options.name }, 'the Lease could not be reached');
    }
  }

  /** Straight away, with the version that is known. False: it must be read first, for somebody wrote it. */
  async function renew(lease: StoredLease): Promise<boolean> {
    const sentAt = now();
    const answer = await send({ method: 'PUT', path, body: claimed(lease, claim()) });
    if (answer.status === 409 || answer.status === 404) return false;
    if (answer.status === 200) won(answer, sentAt);
    else complain(answer);
    return true;
  }

  /** Undefined: there is none. */
  async function read(): Promise<StoredLease | undefined | 'Unusable'> {
    const answer = await send({ method: 'GET', path });
    if (answer.status === 404) {
      // Deleted, perhaps right after a renewal: its holder doesn't know yet, and leads on for a while.
      if (known !== undefined && !deleted) observedAt = now();
      deleted = known !== undefined;
      return undefined;
    }
    const lease = answer.status === 200 ? readLease(answer.body) : undefined;
    if (lease === undefined) {
      complain(answer);
      return 'Unusable';
    }
    see(lease);
    return lease;
  }

  function see(lease: StoredLease): void {
    if (lease.record !== known?.record || deleted) observedAt = now();
    deleted = false;
    const news = lease.holder !== known?.holder && lease.holder !== identity && lease.holder !== '';
    known = lease;
    if (news) log.info({ lease: options.name, leader: lease.holder }, 'another replica leads');
    if (lease.holder !== identity) term.end();
  }

  function mayTake(seen: StoredLease | undefined): boolean {
    // Whoever never saw a Lease takes the place of none. Else it was deleted, and what is known of it may be older than its
    // last holder: only who leads at this moment knows that nobody else does.
    if (seen === undefined) return known === undefined || term.leads() || isOver(known);
    return seen.holder === '' || seen.holder === identity || isOver(seen);
  }

  const endOf = (lease: StoredLease): number => observedAt + Math.max(times.lease, lease.duration);
  const isOver = (lease: StoredLease): boolean => now() >= endOf(lease);

  async function take(seen: StoredLease | undefined): Promise<void> {
    const sentAt = now();
    const body = claimed(seen, claim());
    const answer =
      seen === undefined
        ? await send({ method: 'POST', path: leases, body })
        : await send({ method: 'PUT', path, body });
    if (answer.status === 200 || answer.status === 201) won(answer, sentAt);
    else if (answer.status !== 409) complain(answer);
  }

  function won(answer: ApiResponse, sentAt: number): void {
    const lease = readLease(answer.body);
    if (lease?.holder !== identity || stopped) return;
    known = lease;
    deleted = false;
    term.extend(sentAt + times.renewDeadline);
  }

  const claim = (): LeaseClaim => ({
    namespace: options.namespace,
    name: options.name,
    identity,
    duration: times.lease,
    wallNow: options.wallNow(),
  });

  function complain(answer: ApiResponse): void {
    if (!sayAgain(`answer ${answer.status}`)) return;
    const advice = answer.status === 403 ? '; the ServiceAccount needs get, create and update on leases' : '';
    const fields = {
      lease: options.name,
      namespace: options.namespace,
      answer: answerText(answer.status, answer.body),
    };
    log.warn(fields, `the Lease could not be read or written${advice}`);
  }

  return {
    start: round,
    leading: term.leads,
    async stop() {
      if (stopped) return;
      stopped = true;
      const held = known?.holder === identity;
      term.end();
      cancelNext();
      stopping.abort();
      await running;
      if (held) await release({ ...options, path });
    },
  };
}
