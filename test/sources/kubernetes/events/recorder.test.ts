import { describe, expect, it } from 'vitest';
import { own } from '../../../../src/resources/plain.ts';
import { type ApiRequest, type ApiResponse, ApiUnreachable } from '../../../../src/sources/kubernetes/api.ts';
import { createEventRecorder, type EventResult } from '../../../../src/sources/kubernetes/events/recorder.ts';
import { happenings } from '../../../../src/sources/kubernetes/events/transitions.ts';
import type { Condition } from '../../../../src/sources/kubernetes/status/stored.ts';
import { handTime } from '../../../support/hand-time.ts';

const subject = { apiVersion: 'postern.dev/v1alpha1', kind: 'Route', namespace: 'shop', name: 'orders', uid: 'u1' };
const warning = { type: 'Warning', reason: 'PluginNotFound', note: 'there is no okta' } as const;

function recorder(perSecond = 5) {
  const time = handTime();
  const requests: ApiRequest[] = [];
  const results: EventResult[] = [];
  const state = {
    leading: true,
    answer: (request: ApiRequest): Promise<ApiResponse> =>
      Promise.resolve({ status: request.method === 'POST' ? 201 : 200, retryAfter: undefined, body: request.body }),
  };
  const events = createEventRecorder({
    api: {
      call(request) {
        requests.push(request);
        return state.answer(request);
      },
      watch: () => Promise.reject(new Error('none')),
      close: () => Promise.resolve(),
    },
    instance: 'postern-0',
    leading: () => state.leading,
    perSecond,
    now: time.now,
    wallNow: () => 1_800_000_000_000 + time.now(),
    timers: time.timers,
    log: { info() {}, warn() {}, error() {} },
    sent: (result) => results.push(result),
  });
  const go = async (ms: number) => {
    for (let gone = 0; gone < ms; gone += 100) {
      time.move(100);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  };
  return Object.assign(state, { events, requests, results, time, go });
}

describe('the recorder of Events', () => {
  it('makes one Event of the same reason about an object within ten minutes, and counts on it', async () => {
    const r = recorder();
    for (let time = 0; time < 3; time += 1) {
      r.events.record(subject, warning);
      await r.go(60_000);
    }
    expect(r.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PATCH']);
    expect(r.requests[0]?.path).toBe('/apis/events.k8s.io/v1/namespaces/shop/events');
    const name = own(own(r.requests[0]?.body, 'metadata'), 'name');
    expect(name).toMatch(/^orders\.[0-9a-f]{16}$/);
    expect(r.requests[2]).toMatchObject({
      path: `/apis/events.k8s.io/v1/namespaces/shop/events/${String(name)}`,
      contentType: 'application/merge-patch+json',
      body: { series: { count: 3, lastObservedTime: '2027-01-15T08:02:00.000000Z' } },
    });
    r.events.record({ ...subject, uid: 'u2' }, warning);
    await r.go(11 * 60_000);
    r.events.record(subject, warning);
    await r.go(1000);
    expect(r.requests.slice(3).map(({ method }) => method)).toEqual(['POST', 'POST']);
  });

  it('makes it anew where it is there no more', async () => {
    const r = recorder();
    r.events.record(subject, warning);
    await r.go(1000);
    const { answer } = r;
    r.answer = (request) =>
      request.method === 'PATCH' ? Promise.resolve({ status: 404, retryAfter: undefined, body: {} }) : answer(request);
    r.events.record(subject, warning);
    await r.go(1000);
    expect(r.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'POST']);
  });

  it('keeps to its rate, and drops what is too much', async () => {
    const r = recorder(2);
    for (let index = 0; index < 1000; index += 1) r.events.record({ ...subject, uid: `u${index}` }, warning);
    await r.go(10_000);
    expect(r.requests.length).toBeGreaterThan(15);
    expect(r.requests.length).toBeLessThanOrEqual(21);
    expect(r.results.filter((result) => result === 'dropped').length).toBeGreaterThan(700);
    await r.go(600_000);
    expect(r.requests.length).toBeLessThan(300);
  });

  it('invariant 8: thousands that one namespace makes cost no other its own', async () => {
    const r = recorder(5);
    const other = { ...subject, namespace: 'other', uid: 'other' };
    r.events.record(other, warning);
    await r.go(1000);
    for (let index = 0; index < 5000; index += 1) {
      r.events.record({ ...subject, namespace: 'evil', uid: `u${index}` }, warning);
      if (index % 1000 === 500) r.events.record({ ...other, uid: `o${index}` }, warning);
    }
    // Known still, though so many others came since: it counts on.
    r.events.record(other, warning);
    const soFar = r.requests.length;
    await r.go(4000);
    const own = r.requests.slice(soFar).filter(({ path }) => path.includes('/namespaces/other/'));
    expect(own.map(({ method }) => method).sort()).toEqual(['PATCH', 'POST', 'POST', 'POST', 'POST', 'POST']);
    expect(r.results.filter((result) => result === 'dropped').length).toBeGreaterThan(4000);
  });

  it('loses what cannot be sent, and goes on', async () => {
    const r = recorder();
    const { answer } = r;
    r.answer = () => Promise.reject(new ApiUnreachable('cut'));
    r.events.record(subject, warning);
    await r.go(60_000);
    expect(r.requests).toHaveLength(1);
    r.answer = () => Promise.resolve({ status: 403, retryAfter: undefined, body: {} });
    r.events.record(subject, warning);
    await r.go(60_000);
    expect(r.requests).toHaveLength(2);
    r.answer = answer;
    r.events.record(subject, warning);
    await r.go(1000);
    expect(r.results).toEqual(['failed', 'failed', 'sent']);
  });

  it('F20 sends nothing where it does not lead', async () => {
    const r = recorder(1);
    for (let index = 0; index < 10; index += 1) r.events.record({ ...subject, uid: `u${index}` }, warning);
    await r.go(2000);
    const before = r.requests.length;
    expect(before).toBeGreaterThan(0);
    r.leading = false;
    await r.go(60_000);
    r.events.record(subject, warning);
    await r.go(1000);
    expect(r.requests).toHaveLength(before);
    await r.events.stop();
    expect(r.time.pending()).toBe(0);
  });

  it('keeps to the bounds of the API', async () => {
    const r = recorder();
    r.events.record(
      { ...subject, name: `${'a'.repeat(229)}.${'b'.repeat(23)}` },
      { ...warning, note: 'ä€😀'.repeat(500) },
    );
    await r.go(1000);
    const note = own(r.requests[0]?.body, 'note');
    expect(Buffer.byteLength(String(note))).toBeLessThanOrEqual(1024);
    expect(note).toMatch(/^(ä€😀)+(ä€?)?…$/);
    const name = own(own(r.requests[0]?.body, 'metadata'), 'name');
    expect(String(name).length).toBeLessThanOrEqual(253);
    expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
  });
});

describe('what is told as an Event', () => {
  const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
    type,
    status,
    reason,
    message: '',
    observedGeneration: 1,
    lastTransitionTime: '2027-01-15T08:00:00Z',
  });
  const told = (before: readonly Condition[], after: readonly Condition[]) =>
    happenings(new Map(before.map((one) => [one.type, one])), after).map(({ type, reason }) => `${type} ${reason}`);

  const good = condition('Accepted', 'True', 'Accepted');
  const bad = condition('Accepted', 'False', 'Invalid');

  it.each([
    ['a new object that is well', [], [good], []],
    ['a new object that is not', [], [bad], ['Warning Invalid']],
    ['one that turned', [good], [bad], ['Warning Invalid']],
    ['one that is well again', [bad], [good], ['Normal Accepted']],
    ['another reason', [bad], [condition('Accepted', 'False', 'Conflicted')], ['Warning Conflicted']],
    ['the same reason', [bad], [bad], []],
    ['Unknown', [good], [condition('Accepted', 'Unknown', 'Pending')], []],
    [
      'what follows from others',
      [],
      [condition('Ready', 'False', 'Invalid'), condition('Programmed', 'False', 'Invalid')],
      [],
    ],
  ])('%s', (_, before, after, expected) => {
    expect(told(before, after)).toEqual(expected);
  });
});
