import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { UpstreamSettings } from '../../../src/resources/upstream.ts';
import { until } from '../../support/gateway.ts';
import { QUICK_EJECTION, upstreamSettings } from '../support/upstream-settings.ts';
import { type ObservedForwarder, observedForwarder } from './observed.ts';
import { answer, ORDERS, request, type TestUpstream, testUpstream, text } from './support.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const SETTINGS = upstreamSettings({}, { passive: QUICK_EJECTION });
const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\n503';

async function upstream(name: string, handle?: (socket: Socket) => void): Promise<TestUpstream> {
  const created = await testUpstream(name, handle);
  closers.push(created.close);
  return created;
}

function forwarder(): ObservedForwarder {
  const made = observedForwarder();
  closers.push(() => made.up.close());
  return made;
}

async function ask({ up }: ObservedForwarder, times: number, settings: UpstreamSettings = SETTINGS): Promise<string[]> {
  const answers: string[] = [];
  for (let at = 0; at < times; at++)
    answers.push(await text(await up.forward(request(ORDERS, { upstream: settings }))));
  return answers;
}

describe('F44 one of three endpoints', () => {
  it.each<[string, (nth: number) => boolean]>([
    ['every other time', (nth) => nth % 2 === 0],
    // The middle of a Weyl sequence: half of the time, in no pattern that a counter of a few in a row would miss or meet.
    ['half of the time', (nth) => (nth * 0.618_033_988_75) % 1 < 0.5],
    ['always', () => true],
  ])('that fails %s is left out, and comes back when it is well', async (_how, fails) => {
    let ill = true;
    let nth = 0;
    const sick = await upstream('sick', (socket) => {
      nth += 1;
      socket.write(ill && fails(nth) ? UNAVAILABLE : answer('sick'));
    });
    const [a, b] = [await upstream('a'), await upstream('b')];
    const made = forwarder();
    made.directory.set(a, sick, b);
    let failures = 0;
    for (let tries = 0; made.told.length === 0 && tries < 400; tries++) {
      failures += (await ask(made, 1)).filter((got) => got === '503').length;
    }
    expect(made.told[0]).toMatch(/^ejected (consecutive|rate)$/);
    expect(failures).toBeLessThan(60);
    const before = sick.requests.length;
    expect(new Set(await ask(made, 30))).toEqual(new Set(['a', 'b']));
    expect(sick.requests.length).toBe(before);
    expect([...made.up.counts()]).toMatchObject([{ endpoints: 3, ejected: 1 }]);
    ill = false;
    await until(async () => (await ask(made, 3)).includes('sick'), 'it is asked again');
    const answers = await ask(made, 9);
    expect(answers.filter((got) => got === 'sick')).toHaveLength(3);
    expect([...made.up.counts()]).toMatchObject([{ ejected: 0 }]);
  });

  it('that resets every connection is left out; requests with a body that met it got their 502', async () => {
    const sick = await upstream('sick', (socket) => void socket.resetAndDestroy());
    const [a, b] = [await upstream('a'), await upstream('b')];
    const made = forwarder();
    made.directory.set(a, sick, b);
    // Safe ones are asked for elsewhere and never fail; each still counts against the endpoint.
    expect(new Set(await ask(made, 30))).toEqual(new Set(['a', 'b']));
    expect(made.told.filter((told) => told === 'retried reset').length).toBe(QUICK_EJECTION.consecutiveFailures);
    expect(made.told).toContain('ejected consecutive');
  });
});

it('F44 the only endpoint is never left out, and of three that all fail two are kept', async () => {
  const all = [];
  for (const name of ['a', 'b', 'c']) all.push(await upstream(name, (socket) => void socket.write(UNAVAILABLE)));
  const made = forwarder();
  made.directory.set(...all.slice(0, 1));
  expect(new Set(await ask(made, 20))).toEqual(new Set(['503']));
  expect(made.told).toEqual([]);
  made.directory.set(...all);
  expect(new Set(await ask(made, 40))).toEqual(new Set(['503']));
  expect(made.told).toEqual(['ejected consecutive']);
  expect([...made.up.counts()]).toMatchObject([{ endpoints: 3, ejected: 1 }]);
});
