import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointAddress } from '../../../src/proxy/endpoints.ts';
import { Balancer } from '../../../src/proxy/upstream/balancer.ts';
import type { EjectionCause } from '../../../src/proxy/upstream/endpoint-health.ts';
import { Pool } from '../../../src/proxy/upstream/pool.ts';
import { DEFAULT_POLICY } from '../../../src/resources/parse-upstream.ts';
import type { UpstreamPolicy } from '../../../src/resources/upstream.ts';
import { QUICK_EJECTION } from '../support/upstream-settings.ts';

/** One that nothing connects to: how busy it is, a test says. */
class HandPool extends Pool {
  busy = 0;
  isFull = false;
  override get active(): number {
    return this.busy;
  }
  override get full(): boolean {
    return this.isFull;
  }
}

function hand(count: number, policy: Partial<UpstreamPolicy> = {}, random: () => number = Math.random) {
  const pools = new Map<number, HandPool>();
  const ejections: EjectionCause[] = [];
  let time = 0;
  let endpoints: readonly EndpointAddress[] = ports(count);
  const pool = ({ host, port }: EndpointAddress): HandPool => {
    const peer = { host, port, tls: undefined, lookup: () => undefined, refusal: () => undefined };
    const made = new HandPool({ peer, now: () => time, maximum: 10, onRoom: () => undefined });
    pools.set(port, made);
    return made;
  };
  const balancer = new Balancer({
    policy: { ...DEFAULT_POLICY, passive: QUICK_EJECTION, ...policy },
    endpoints: () => endpoints,
    pool,
    now: () => time,
    random,
    onEjected: (cause) => ejections.push(cause),
  });
  const next = (): HandPool => {
    const place = balancer.next();
    if (!(place instanceof HandPool)) throw new Error(`no place: ${String(place)}`);
    return place;
  };
  const portOf = (found: Pool): number => [...pools].find(([, one]) => one === found)?.[0] ?? 0;
  for (let at = 0; at < count; at++) balancer.another([]);
  return {
    balancer,
    pools,
    ejections,
    next,
    portOf,
    pool: (port: number): HandPool => pools.get(port) ?? pool({ host: '127.0.0.1', port }),
    turn: (times: number) => Array.from({ length: times }, () => portOf(next())),
    pass: (milliseconds: number) => {
      time += milliseconds;
      balancer.sweep();
    },
    resize: (...next: readonly number[]) => {
      endpoints = next.map((port) => ({ host: '127.0.0.1', port }));
    },
  };
}

const ports = (count: number): readonly EndpointAddress[] =>
  Array.from({ length: count }, (_, at) => ({ host: '127.0.0.1', port: at + 1 }));

describe('LeastRequest', () => {
  it('never asks the busiest of all, so an idle endpoint is preferred', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 20 }), { minLength: 2, maxLength: 12 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        (loads, chances) => {
          const random = (): number => chances.next().value ?? 0;
          const { next, pool } = hand(loads.length, { loadBalancing: 'LeastRequest' }, random);
          for (const [at, load] of loads.entries()) pool(at + 1).busy = load;
          const most = Math.max(...loads);
          const alone = loads.filter((load) => load === most).length === 1;
          for (let times = 0; times < 20; times++) {
            const { busy } = next();
            if (alone) expect(busy).toBeLessThan(most);
          }
        },
      ),
    );
  });

  it('of two always asks the one with fewer, and spreads what it adds evenly', () => {
    const { next, pool, pools } = hand(8, { loadBalancing: 'LeastRequest' });
    for (let at = 0; at < 800; at++) next().busy += 1;
    const loads = [...pools.values()].map(({ busy }) => busy);
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThan(20);
    const two = hand(2, { loadBalancing: 'LeastRequest' });
    two.pool(1).busy = 1;
    expect(new Set(two.turn(20))).toEqual(new Set([2]));
    expect(pool(1)).toBe(pools.get(1));
  });

  it('passes over what is full or left out, and takes what is left', () => {
    const { turn, pool, balancer } = hand(3, { loadBalancing: 'LeastRequest' });
    pool(1).isFull = true;
    for (let at = 0; at < 3; at++) balancer.failed(pool(2));
    expect(new Set(turn(30))).toEqual(new Set([3]));
    pool(3).isFull = true;
    expect(new Set(turn(5))).toEqual(new Set([2]));
    pool(2).isFull = true;
    expect(balancer.next()).toBe('Full');
  });
});

describe('F44 passive ejection', () => {
  it('leaves an endpoint out after so many failures in a row, longer each time, and puts it to the test after', () => {
    const { turn, pool, balancer, pass, ejections } = hand(3);
    for (let at = 0; at < 2; at++) balancer.failed(pool(2));
    expect(turn(3).sort()).toEqual([1, 2, 3]);
    balancer.failed(pool(2));
    expect(ejections).toEqual(['consecutive']);
    expect(turn(6)).not.toContain(2);
    pass(400);
    expect(turn(6)).not.toContain(2);
    pass(200);
    // One request is the test: until it is answered no other goes there.
    expect(turn(9).filter((port) => port === 2)).toHaveLength(1);
    balancer.failed(pool(2));
    expect(ejections).toEqual(['consecutive', 'consecutive']);
    pass(700);
    expect(turn(6)).not.toContain(2);
    pass(400);
    // What the test before it held back is over by then too.
    pass(5000);
    expect(turn(3)).toContain(2);
    balancer.answered(pool(2));
    expect(turn(3).sort()).toEqual([1, 2, 3]);
  });

  it('two attempts to connect in vain are enough', () => {
    const { turn, pool, balancer, ejections, pass } = hand(3);
    balancer.notConnected(pool(1));
    expect(turn(4)).not.toContain(1);
    expect(ejections).toEqual([]);
    pass(5000);
    expect(turn(3)).toContain(1);
    balancer.notConnected(pool(1));
    expect(ejections).toEqual(['connect']);
  });

  it('an endpoint that fails every other time stands out among others that do not', () => {
    const { pool, balancer, ejections } = hand(3);
    for (let at = 0; at < 25; at++) for (const port of [1, 3]) balancer.answered(pool(port));
    for (let at = 0; at < 24; at++) {
      balancer.failed(pool(2));
      balancer.answered(pool(2));
    }
    expect(ejections).toContain('rate');
    // Where all do, it is the Service: nobody is left out.
    const same = hand(3);
    for (let at = 0; at < 40; at++) {
      for (const port of [1, 2, 3]) same.balancer.failed(same.pool(port));
      for (const port of [1, 2, 3]) same.balancer.answered(same.pool(port));
    }
    expect(same.ejections).toEqual([]);
  });

  it('healthCheck.passive.enabled: false leaves nobody out', () => {
    const { turn, pool, balancer, ejections } = hand(3, { passive: undefined });
    for (let at = 0; at < 100; at++) balancer.failed(pool(2));
    expect(ejections).toEqual([]);
    expect(turn(3).sort()).toEqual([1, 2, 3]);
  });

  it('half of them left out and the other half gone: all are asked', () => {
    const { turn, pool, balancer, resize, pass } = hand(4);
    for (const port of [1, 2]) for (let at = 0; at < 3; at++) balancer.failed(pool(port));
    expect(balancer.ejected).toBe(2);
    expect(new Set(turn(8))).toEqual(new Set([3, 4]));
    resize(1, 2, 3);
    pass(100);
    expect(new Set(turn(9))).toEqual(new Set([1, 2, 3]));
  });

  it('never leaves none, nor more out than it may, whatever happens', () => {
    const eventArb = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constantFrom('failed', 'notConnected'), port: fc.nat({ max: 5 }) }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('answered'), port: fc.nat({ max: 5 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass'), port: fc.nat({ max: 1500 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize'), port: fc.integer({ min: 1, max: 6 }) }) },
    );
    const policyArb = fc.constantFrom('RoundRobin' as const, 'LeastRequest' as const);
    fc.assert(
      fc.property(policyArb, fc.array(eventArb, { maxLength: 120 }), (loadBalancing, events) => {
        const { balancer, pool, pass, resize, ejections, next, portOf } = hand(6, { loadBalancing });
        let size = 6;
        for (const { kind, port } of events) {
          const [out, count] = [balancer.ejected, ejections.length];
          if (kind === 'pass') pass(port);
          else if (kind === 'resize') {
            size = port;
            resize(...ports(size).map((one) => one.port));
          } else if (kind === 'failed') balancer.failed(pool(port + 1));
          else if (kind === 'notConnected') balancer.notConnected(pool(port + 1));
          else balancer.answered(pool(port + 1));
          if (ejections.length > count) expect(out).toBeLessThan(Math.floor(balancer.size / 2));
          expect(portOf(next())).toBeLessThanOrEqual(size);
        }
      }),
      { numRuns: 500 },
    );
  });
});
