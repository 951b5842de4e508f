import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ForwardResult, OutgoingRequest } from '../../../src/proxy/forwarder.ts';
import { WaitingLine } from '../../../src/proxy/upstream/waiting-line.ts';
import { milliseconds } from '../../../src/resources/duration.ts';
import type { UpstreamLimits } from '../../../src/resources/upstream.ts';
import { until } from '../../support/gateway.ts';
import { askOnce, RawClient } from '../../support/raw-client.ts';
import { startGateway } from '../support/gateway.ts';
import { startRawUpstream } from '../support/upstream.ts';
import { upstreamSettings } from '../support/upstream-settings.ts';
import { type ObservedForwarder, observedForwarder } from './observed.ts';
import { answer, ORDERS, request, testUpstream, text } from './support.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const limits = (more: Partial<UpstreamLimits> = {}): UpstreamLimits => ({
  connectionsPerEndpoint: 2,
  pending: 3,
  pendingTimeout: milliseconds(60_000),
  ...more,
});

/** An upstream that answers when it is told to, with the path that was asked for. */
async function patient() {
  const waiting: (() => void)[] = [];
  let most = 0;
  const upstream = await testUpstream('patient', (socket: Socket, head) => {
    most = Math.max(most, upstream.connections.size);
    waiting.push(() => socket.write(answer(head.split(' ')[1] ?? '')));
  });
  closers.push(upstream.close);
  return { upstream, waiting, most: () => most };
}

function forwarder(more: Partial<UpstreamLimits> = {}) {
  const made = observedForwarder();
  closers.push(() => made.up.close());
  const upstream = upstreamSettings({}, { limits: limits(more) });
  const send = (target: string, more: Partial<OutgoingRequest> = {}): Promise<ForwardResult> =>
    made.up.forward(request(ORDERS, { upstream, target, ...more }));
  return { ...made, send };
}

const pendingOf = ({ up }: ObservedForwarder): number => [...up.counts()][0]?.pending ?? 0;

describe('limits of a Service', () => {
  it('hold connections to what an endpoint may have; who comes after waits, in order; who comes last is refused', async () => {
    const { upstream, waiting, most } = await patient();
    const made = forwarder();
    made.directory.set(upstream);
    const done: string[] = [];
    const all = ['/1', '/2', '/3', '/4', '/5'].map(async (target) => done.push(await text(await made.send(target))));
    await until(() => waiting.length === 2, 'two are at the upstream');
    expect(await text(await made.send('/6'))).toBe('pending_full');
    expect(pendingOf(made)).toBe(3);
    for (let at = 0; at < 5; at++) {
      await until(() => waiting.length > at, `the request after ${at}`);
      waiting[at]?.();
      await until(() => done.length > at, 'its answer');
    }
    await Promise.all(all);
    expect(done).toEqual(['/1', '/2', '/3', '/4', '/5']);
    expect(upstream.requests.map((head) => head.split(' ')[1])).toEqual(['/1', '/2', '/3', '/4', '/5']);
    expect([most(), upstream.accepted]).toEqual([2, 2]);
    expect(pendingOf(made)).toBe(0);
  });

  it('wait no longer than pendingTimeout, and give their place in the line to who comes after', async () => {
    const { upstream, waiting } = await patient();
    const made = forwarder({ connectionsPerEndpoint: 1, pending: 1, pendingTimeout: milliseconds(200) });
    made.directory.set(upstream);
    const first = made.send('/1');
    await until(() => waiting.length === 1, 'one is at the upstream');
    expect(await text(await made.send('/2'))).toBe('pending_timeout');
    const third = made.send('/3');
    waiting[0]?.();
    expect(await text(await first)).toBe('/1');
    await until(() => waiting.length === 2, 'the third is at the upstream');
    waiting[1]?.();
    expect(await text(await third)).toBe('/3');
    expect(upstream.requests).toHaveLength(2);
  });

  it('nobody overtakes those that wait, though they come the moment a connection is free', async () => {
    const { upstream, waiting } = await patient();
    const made = forwarder({ connectionsPerEndpoint: 1 });
    made.directory.set(upstream);
    const first = made.send('/1');
    await until(() => waiting.length === 1, 'one is at the upstream');
    const second = made.send('/2');
    waiting[0]?.();
    // Settled while the bytes of the response are read, so before whoever waits is served.
    await first;
    const third = made.send('/3');
    await until(() => waiting.length === 2, 'the next one is at the upstream');
    waiting[1]?.();
    await until(() => waiting.length === 3, 'the last one is at the upstream');
    waiting[2]?.();
    expect([await text(await first), await text(await second), await text(await third)]).toEqual(['/1', '/2', '/3']);
    expect(upstream.requests.map((head) => head.split(' ')[1])).toEqual(['/1', '/2', '/3']);
  });

  it('A160 who goes away leaves the line', async () => {
    const { upstream, waiting } = await patient();
    const made = forwarder({ connectionsPerEndpoint: 1 });
    made.directory.set(upstream);
    void made.send('/1');
    await until(() => waiting.length === 1, 'one is at the upstream');
    let leave: (() => void) | undefined;
    const onGone = (callback: (() => void) | undefined): void => {
      leave = callback;
    };
    const client = { gone: false, onGone };
    for (let at = 0; at < 1000; at++) {
      const gone = made.send('/gone', { client });
      leave?.();
      expect(await text(await gone)).toBe('client_gone');
    }
    expect(pendingOf(made)).toBe(0);
    const last = made.send('/last');
    waiting[0]?.();
    await until(() => waiting.length === 2, 'the last is at the upstream');
    waiting[1]?.();
    expect(await text(await last)).toBe('/last');
  });

  it('a new endpoint takes those that wait', async () => {
    const { upstream, waiting } = await patient();
    const made = forwarder({ connectionsPerEndpoint: 1 });
    made.directory.set(upstream);
    void made.send('/1');
    await until(() => waiting.length === 1, 'one is at the upstream');
    const second = made.send('/2');
    const fresh = await testUpstream('fresh');
    closers.push(fresh.close);
    made.directory.set(upstream, fresh);
    expect(await text(await second)).toBe('fresh');
  });

  it('a connection that breaks makes room', async () => {
    const sockets: Socket[] = [];
    const upstream = await testUpstream('x', (socket, head) =>
      head.startsWith('POST') ? void sockets.push(socket) : void socket.write(answer('x')),
    );
    closers.push(upstream.close);
    const made = forwarder({ connectionsPerEndpoint: 1 });
    made.directory.set(upstream);
    const first = made.send('/1', { method: 'POST' });
    await until(() => sockets.length === 1, 'one is at the upstream');
    const second = made.send('/2');
    sockets[0]?.resetAndDestroy();
    expect(await text(await first)).toBe('reset');
    expect(await text(await second)).toBe('x');
  });
});

it('what finds no room is answered 503 with Retry-After', async () => {
  const upstream = await startRawUpstream(() => undefined);
  closers.push(() => upstream.close());
  const gateway = await startGateway({
    port: upstream.port,
    routes: [{ path: '/', exposure: 'Public', policy: { limits: limits({ connectionsPerEndpoint: 1, pending: 0 }) } }],
  });
  closers.push(() => gateway.close());
  const first = await RawClient.connect(gateway.port);
  await first.send('GET /1 HTTP/1.1\r\nHost: app.example\r\n\r\n');
  await until(() => upstream.sockets.size === 1, 'the first is at the upstream');
  const refused = await askOnce(gateway.port, 'GET /2 HTTP/1.1\r\nHost: app.example\r\n\r\n');
  expect([refused.status, refused.header('retry-after')]).toEqual([503, '5']);
  expect(gateway.records[0]).toMatchObject({ outcome: 'upstream_failed', reason: 'pending_full' });
  first.destroy();
});

it('a line: first come, first served; who leaves from the middle is not missed', () => {
  const member = (name: string) => ({ name, ahead: undefined, behind: undefined });
  interface Member {
    readonly name: string;
    ahead: Member | undefined;
    behind: Member | undefined;
  }
  const line = new WaitingLine<Member>();
  const members: Member[] = ['a', 'b', 'c', 'd'].map(member);
  for (const one of members) line.join(one);
  const [a, b, c, d] = members;
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('four were made');
  line.leave(c);
  line.leave(c);
  expect([line.first?.name, line.size]).toEqual(['a', 3]);
  line.leave(a);
  expect([line.first?.name, line.size]).toEqual(['b', 2]);
  line.leave(d);
  line.join(c);
  line.leave(b);
  expect([line.first?.name, line.size]).toEqual(['c', 1]);
  line.leave(c);
  expect([line.first, line.size]).toEqual([undefined, 0]);
});
