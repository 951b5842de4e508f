import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fittingLimits } from '../../src/cli/open-files.ts';
import { DEFAULT_LIMITS } from '../../src/proxy/limits.ts';
import { ok, startUpstream, type Upstream } from '../proxy/support/upstream.ts';
import { type Gateway, startGateway, until } from '../support/gateway.ts';
import { prlimit } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';

/** 64 MiB of old generation, of which a gateway with two Routes needs about half. */
const SMALL_HEAP = { NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=2' };
/** As much as a head may have. */
const PADDING = `Cookie: c=${'x'.repeat(30_000)}\r\n`;
const FLOOD = 2500;

let upstream: Upstream;
let gateway: Gateway;
let held: Socket[];
let clients: RawClient[];

beforeEach(async () => {
  held = [];
  clients = [];
  upstream = await startUpstream(({ target }, socket) => {
    if (!target.startsWith('/open/slow')) return ok('now');
    held.push(socket);
    return undefined;
  });
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  gateway.child.kill('SIGCONT');
  if (gateway.child.exitCode === null && gateway.child.signalCode === null) await gateway.stop();
  await upstream.close();
});

const objects = () => ({
  'all.yaml': `apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: demo, namespace: shop}
spec: {url: "http://127.0.0.1:${upstream.port}"}
---
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: open, namespace: shop}
spec:
  hosts: ['*']
  paths: [{type: Prefix, value: /open}]
  serviceRef: {name: demo}
  access: Public
`,
});

const start = async (limits: string, env: Readonly<Record<string, string>> = {}): Promise<void> => {
  gateway = await startGateway({ objects: objects(), args: ['--limits', limits, '--health-path', '/up'], env });
};
const port = (): number => Number(new URL(gateway.url).port);
const request = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`;

const connect = async (): Promise<RawClient> => {
  const client = await RawClient.connect(port());
  clients.push(client);
  return client;
};

/** One request on a connection of its own; 0 where it was closed instead. */
const ask = async (path: string): Promise<number> => {
  try {
    const client = await connect();
    await client.send(request(path));
    const answer = await client.answer();
    client.destroy();
    return answer?.status ?? 0;
  } catch {
    return 0;
  }
};

const becomes = (what: string, test: () => Promise<boolean>): Promise<void> => until(test, what, () => gateway.log());

/** Large requests to an upstream that thinks, until there are many or the gateway is gone. */
async function flood(): Promise<void> {
  for (let sent = 0; sent < FLOOD && gateway.child.exitCode === null && gateway.child.signalCode === null; sent += 50) {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        try {
          const client = await connect();
          void client.send(request('/open/slow', PADDING));
        } catch {
          // Refused connections are part of it.
        }
      }),
    );
    await sleep(20);
  }
}

const adminStatus = async (path: string): Promise<number> => (await fetch(`${gateway.adminUrl}${path}`)).status;

describe('F48 memory', () => {
  it('at its mark: new work is 503, what is under way is finished, health stays, and it ends by itself', async () => {
    await start('loopDelay=off,memory=80%', SMALL_HEAP);
    await flood();
    await gateway.logged(/overloaded: new requests are answered 503/);
    const answers = await Promise.all(
      clients.filter(({ received }) => received !== '').map((client) => client.answer()),
    );
    const shed = answers.filter((answer) => answer?.status === 503);
    expect(shed.length).toBeGreaterThan(100);
    for (const answer of shed)
      expect([answer?.header('retry-after'), answer?.header('connection')]).toEqual(['2', 'close']);
    expect([await adminStatus('/livez'), await adminStatus('/readyz')]).toEqual([200, 200]);
    expect(await (await fetch(`${gateway.adminUrl}/metrics`)).text()).toContain('postern_overloaded{cause="memory"} 1');
    // Where nearly all memory is in use connections are refused for a moment.
    await becomes('the health path is answered', async () => (await ask('/up').catch(() => 0)) === 200);

    const waiting = clients.filter(({ received, ended }) => received === '' && !ended);
    expect(waiting.length).toBeGreaterThan(50);
    for (const socket of held) socket.write(ok('late'));
    const late = await Promise.all(waiting.slice(0, 50).map((client) => client.answer()));
    expect(late.map((answer) => answer?.body)).toEqual(late.map(() => 'late'));
    for (const client of clients) client.destroy();
    await becomes('new requests are served', async () => (await ask('/open/x')) === 200);
    expect(gateway.log().match(/overloaded: new requests/g)?.length).toBeLessThanOrEqual(3);
    expect(gateway.child.exitCode).toBeNull();
  }, 120_000);

  it('the same flood ends a process that has no mark', async () => {
    await start('loopDelay=off,memory=off', SMALL_HEAP);
    const gone = new Promise<void>((resolve) => gateway.child.once('exit', () => resolve()));
    await Promise.all([flood(), Promise.race([gone, sleep(90_000)])]);
    expect(gateway.child.exitCode !== null || gateway.child.signalCode !== null).toBe(true);
    expect(gateway.log()).toMatch(/heap out of memory/);
  }, 120_000);
});

describe('F48 F29 an event loop that is late', () => {
  it('again and again: new work is 503, what is under way is finished, and it ends by itself', async () => {
    await start('loopDelay=300ms');
    const slow = await connect();
    await slow.send(request('/open/slow'));
    await until(
      async () => held.length === 1,
      'it is under way',
      () => gateway.log(),
    );
    const statuses: number[] = [];
    for (let i = 0; i < 40 && !statuses.includes(503); i++) {
      gateway.child.kill('SIGSTOP');
      await sleep(500);
      gateway.child.kill('SIGCONT');
      if (i > 2) statuses.push(await ask('/open/x'));
      else await sleep(30);
    }
    expect(statuses).toContain(503);
    expect(await ask('/up')).toBe(200);
    held[0]?.write(ok('late'));
    expect((await slow.answer())?.body).toBe('late');
    await becomes('new requests are served', async () => (await ask('/open/x')) === 200);
    await gateway.logged(/no longer overloaded/);
  }, 60_000);

  it('once, for five seconds: it is alive, and nothing is refused', async () => {
    await start('loopDelay=300ms');
    gateway.child.kill('SIGSTOP');
    const [live, open] = [adminStatus('/livez'), ask('/open/x')];
    await sleep(5000);
    gateway.child.kill('SIGCONT');
    expect([await live, await open]).toEqual([200, 200]);
    expect(gateway.log()).not.toContain('overloaded');
  }, 60_000);
});

describe('F48 file descriptors', () => {
  it.skipIf(prlimit.missing)(
    `that run out cost connections, not the listener ${prlimit.why}`,
    async () => {
      await start('loopDelay=off');
      const kept = await connect();
      await kept.send(request('/open/x'));
      expect((await kept.answer())?.status).toBe(200);
      const pid = String(gateway.child.pid);
      const files = readdirSync(`/proc/${pid}/fd`).length + 20;
      execFileSync(prlimit.path, ['--pid', pid, `--nofile=${files}:${files}`]);
      const flooded: RawClient[] = [];
      await Promise.all(
        Array.from({ length: 200 }, async () => {
          const client = await connect().catch(() => undefined);
          if (client === undefined) return;
          flooded.push(client);
          await client.send(request('/up'));
        }),
      );
      await until(
        async () => flooded.some(({ ended, received }) => ended && received === ''),
        'some were closed',
        () => '',
      );
      await kept.send(request('/up'));
      expect((await kept.answer())?.status).toBe(200);
      for (const client of flooded) client.destroy();
      await becomes('new requests are served', async () => (await ask('/open/x')) === 200);
      expect(gateway.child.exitCode).toBeNull();
    },
    60_000,
  );

  it('bound the connections from the start', () => {
    const lines: unknown[] = [];
    const log = { info: (fields: unknown) => lines.push(fields) };
    expect(fittingLimits(DEFAULT_LIMITS, log, 1024)).toMatchObject({
      connections: 448,
      connectionsPerAddress: 224,
      handshakes: 448,
    });
    expect(lines).toEqual([{ connections: 448, asked: 10_000, open_files: 1024 }]);
    expect(fittingLimits(DEFAULT_LIMITS, log, 1_000_000)).toBe(DEFAULT_LIMITS);
    expect(fittingLimits(DEFAULT_LIMITS, log, undefined)).toBe(DEFAULT_LIMITS);
  });
});
