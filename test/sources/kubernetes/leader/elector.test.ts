import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { own } from '../../../../src/resources/plain.ts';
import { alwaysLeading } from '../../../../src/sources/kubernetes/leader/always-leading.ts';
import { createElector, type Elector } from '../../../../src/sources/kubernetes/leader/elector.ts';
import { type HandTime, handTime } from '../../../support/hand-time.ts';
import { type Fate, type LeaseStore, leaseStore, networked } from './lease-store.ts';

const quiet = { info() {}, warn() {}, error() {} };
const PROMPT: Fate = { there: 1, back: 1 };
const CUT: Fate = { there: 'lost', back: 'lost' };

/** Lets promises go on: more turns than any chain of them here is long. */
const settle = async () => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};

async function move(time: HandTime, ms: number, step: number, each: () => void = () => {}): Promise<void> {
  for (let gone = 0; gone < ms; gone += step) {
    time.move(step);
    await settle();
    each();
  }
}

interface Replica {
  readonly elector: Elector;
  readonly changes: boolean[];
  fate: () => Fate;
  /** It has read the Lease, or written it. */
  knows: boolean;
}

function replicas(
  time: HandTime,
  store: LeaseStore,
  names: readonly string[],
  random: () => number = () => 0.5,
): readonly Replica[] {
  return names.map((identity) => {
    const changes: boolean[] = [];
    const replica = { changes, fate: (): Fate => PROMPT, knows: false };
    const elector = createElector({
      api: networked(store, time.timers, () => replica.fate()),
      namespace: 'postern',
      name: 'postern',
      identity,
      now: time.now,
      wallNow: () => 1_800_000_000_000 + time.now(),
      random,
      timers: time.timers,
      log: {
        ...quiet,
        info: () => {
          replica.knows = true;
        },
      },
      onChange: (leading) => changes.push(leading),
    });
    return Object.assign(replica, { elector });
  });
}

const leaders = (all: readonly Replica[]): readonly number[] =>
  all.flatMap(({ elector }, index) => (elector.leading() ? [index] : []));

function pair() {
  const time = handTime();
  const store = leaseStore();
  const all = replicas(time, store, ['a', 'b']);
  const [a, b] = all;
  if (a === undefined || b === undefined) throw new Error('two');
  return { time, store, a, b, all };
}

describe('the Lease elector', () => {
  it('lets the first one lead and keeps the Lease renewed', async () => {
    const { time, store, a, b, all } = pair();
    a.elector.start();
    await move(time, 10, 1);
    b.elector.start();
    await move(time, 60_000, 100, () => expect(leaders(all)).toEqual([0]));
    expect(a.changes).toEqual([true]);
    expect(b.changes).toEqual([]);
    expect(own(store.current(), 'spec')).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: '2027-01-15T08:00:00.002000Z',
    });
    // A renewal is one request.
    expect(store.log.filter((line) => line === 'PUT 200').length).toBeGreaterThanOrEqual(27);
  });

  it('F19 another takes it when the leader is gone without a word', async () => {
    const { time, a, b } = pair();
    a.elector.start();
    await move(time, 10, 1);
    b.elector.start();
    await move(time, 5000, 100);
    a.fate = () => CUT;
    await move(time, 14_000, 100);
    expect(b.elector.leading()).toBe(false);
    await move(time, 6500, 100);
    expect(b.elector.leading()).toBe(true);
  });

  it('F19 that takes less than 20 seconds from the last renewal, whenever it happens and whatever chance says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 6000 }),
        fc.oneof(
          fc.constant([1]),
          fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }),
        ),
        async (lived, chances) => {
          const time = handTime();
          let n = 0;
          const chance = (): number => chances[n++ % chances.length] ?? 0;
          const [a, b] = replicas(time, leaseStore(), ['a', 'b'], chance);
          if (a === undefined || b === undefined) throw new Error('two');
          a.elector.start();
          await move(time, 10, 1);
          b.elector.start();
          await move(time, 5000 + lived, 50);
          a.fate = () => CUT;
          await move(time, 19_900, 50);
          expect(b.elector.leading()).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('F20 a leader that cannot renew stops before another may begin', async () => {
    const { time, a, b } = pair();
    a.elector.start();
    await move(time, 10, 1);
    b.elector.start();
    await move(time, 5000, 100);
    a.fate = () => CUT;
    await move(time, 10_000, 100);
    expect(a.elector.leading()).toBe(false);
    expect(a.changes).toEqual([true, false]);
    expect(b.elector.leading()).toBe(false);
    // It comes back as a candidate, and takes what nobody took.
    b.fate = () => CUT;
    a.fate = () => PROMPT;
    await move(time, 10_000, 100);
    expect(a.changes).toEqual([true, false, true]);
  });

  it('F20 a process that was stopped wakes up as no leader, before any timer ran', async () => {
    let asleep = 0;
    const time = handTime();
    const store = leaseStore();
    const elector = createElector({
      api: networked(store, time.timers, () => PROMPT),
      namespace: 'postern',
      name: 'postern',
      identity: 'a',
      now: () => time.now() + asleep,
      wallNow: () => 0,
      random: () => 0,
      timers: time.timers,
      log: quiet,
      onChange() {},
    });
    elector.start();
    await move(time, 100, 1);
    expect(elector.leading()).toBe(true);
    asleep = 60_000;
    expect(elector.leading()).toBe(false);
  });

  it('F20 tells of its end though a timer runs early', async () => {
    let early = 0;
    const time = handTime();
    const store = leaseStore();
    const changes: boolean[] = [];
    let fate = PROMPT;
    const elector = createElector({
      api: networked(store, time.timers, () => fate),
      namespace: 'postern',
      name: 'postern',
      identity: 'a',
      now: () => time.now() - early,
      wallNow: () => 0,
      random: () => 0,
      timers: time.timers,
      log: quiet,
      onChange: (leading) => changes.push(leading),
    });
    elector.start();
    await move(time, 100, 1);
    fate = CUT;
    early = 0.5;
    await move(time, 10_000, 1);
    expect(changes).toEqual([true, false]);
  });

  it('gives the Lease back when it stops, after it ended to lead', async () => {
    const { time, store, a, b } = pair();
    a.elector.start();
    await move(time, 10, 1);
    b.elector.start();
    await move(time, 5000, 100);
    const stopped = a.elector.stop();
    expect(a.changes).toEqual([true, false]);
    expect(store.holder()).toBe('a');
    await move(time, 20, 1);
    await stopped;
    expect(store.holder()).toBe('');
    await move(time, 4400, 100);
    expect(b.elector.leading()).toBe(true);
    expect(own(store.current(), 'spec')).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('stops in time where the API server is gone', async () => {
    const { time, a } = pair();
    a.elector.start();
    await move(time, 1000, 100);
    a.fate = () => CUT;
    let over = false;
    void a.elector.stop().then(() => {
      over = true;
    });
    await move(time, 4500, 100);
    expect(over).toBe(true);
    expect(time.pending()).toBe(0);
  });

  it('waits for the holder of a Lease that was deleted', async () => {
    const { time, store, a, b } = pair();
    a.elector.start();
    await move(time, 10, 1);
    b.elector.start();
    await move(time, 5000, 100);
    a.fate = () => CUT;
    store.remove();
    await move(time, 12_000, 100);
    expect(b.elector.leading()).toBe(false);
    await move(time, 8000, 100);
    expect(b.elector.leading()).toBe(true);
  });

  it('asks again after any answer, and says a refusal once a minute', async () => {
    const time = handTime();
    const said: string[] = [];
    let calls = 0;
    const elector = createElector({
      api: {
        call: () => {
          calls += 1;
          return Promise.resolve({ status: 403, retryAfter: undefined, body: { message: 'leases is forbidden' } });
        },
        watch: () => Promise.reject(new Error('none')),
        close: () => Promise.resolve(),
      },
      namespace: 'postern',
      name: 'postern',
      identity: 'a',
      now: time.now,
      wallNow: () => 0,
      random: () => 0,
      timers: time.timers,
      log: { ...quiet, warn: (fields, message) => said.push(`${message} ${JSON.stringify(fields)}`) },
      onChange() {},
    });
    elector.start();
    await move(time, 119_000, 100);
    expect(calls).toBeGreaterThan(50);
    expect(calls).toBeLessThan(65);
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(/needs get, create and update on leases.*403 leases is forbidden/);
  });

  it('F56 who led before it was cut off, and finds the Lease deleted, waits for whoever may lead now', async () => {
    const time = handTime();
    const store = leaseStore();
    const [a, b] = replicas(time, store, ['a', 'b']);
    if (a === undefined || b === undefined) throw new Error('there are two');
    a.elector.start();
    await move(time, 1000, 250);
    expect(a.elector.leading()).toBe(true);
    b.elector.start();
    await move(time, 3000, 250);
    a.fate = () => CUT;
    await move(time, 30_000, 250);
    expect(b.elector.leading()).toBe(true);
    store.remove();
    a.fate = () => PROMPT;
    // b's renewals are slow: it learns of the deletion late, and leads until then.
    b.fate = () => ({ there: 4000, back: 1 });
    await move(time, 60_000, 250, () => {
      expect(leaders([a, b]).length).toBeLessThanOrEqual(1);
    });
    expect(leaders([a, b])).toHaveLength(1);
  });

  it('F56 never has two leaders at one time, and has one again when the network is whole', async () => {
    const trip = fc.integer({ min: 1, max: 9000 });
    const leg = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 1, max: 50 }) },
      { weight: 3, arbitrary: trip },
      {
        weight: 1,
        arbitrary: fc.constant('lost' as const),
      },
    );
    const cuts = fc.array(
      fc.record({
        from: fc.nat(120_000),
        length: fc.nat(40_000),
        who: fc.nat(2),
        only: fc.constantFrom('there', 'back'),
      }),
      { maxLength: 6 },
    );
    const removals = fc.array(fc.nat(120_000), { maxLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(leg, leg), { minLength: 1, maxLength: 60 }),
        cuts,
        removals,
        async (legs, cut, gone) => {
          const time = handTime();
          const store = leaseStore();
          const all = replicas(time, store, ['a', 'b', 'c']);
          let call = 0;
          for (const [who, replica] of all.entries()) {
            replica.fate = () => {
              if (time.now() > 160_000) return PROMPT;
              const now = time.now();
              const severed = cut.find((one) => one.who === who && now >= one.from && now < one.from + one.length);
              const [there, back] = legs[call++ % legs.length] ?? [1, 1];
              if (severed === undefined) return { there, back };
              return severed.only === 'there' ? CUT : { there, back: 'lost' };
            };
            replica.elector.start();
          }
          let removed = false;
          await move(time, 160_000, 250, () => {
            expect(leaders(all).length).toBeLessThanOrEqual(1);
            // Whoever never saw a Lease takes a place where there is none for a new one; no record could tell it more.
            const [at] = gone;
            if (removed || at === undefined || time.now() < at || !all.every(({ knows }) => knows)) return;
            removed = true;
            store.remove();
          });
          await move(time, 40_000, 500);
          expect(leaders(all)).toHaveLength(1);
          for (const { changes } of all) {
            expect(changes.every((state, index) => state === (index % 2 === 0))).toBe(true);
          }
        },
      ),
      { numRuns: 100 },
    );
  }, 120_000);

  it('F22 always leads where there is no election', async () => {
    const changes: boolean[] = [];
    const elector = alwaysLeading((leading) => changes.push(leading));
    expect(elector.leading()).toBe(false);
    elector.start();
    expect(elector.leading()).toBe(true);
    await elector.stop();
    expect(elector.leading()).toBe(false);
    expect(changes).toEqual([true, false]);
  });
});
