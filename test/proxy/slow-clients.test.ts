import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { slowhttptest } from '../support/parts.ts';
import { askOnce } from '../support/raw-client.ts';
import { eventually, type Gateway, startGateway } from './support/gateway.ts';
import { ok, startUpstream, type Upstream } from './support/upstream.ts';

/** Connections of the attack, and for how long it goes on if nothing ends it. */
const ATTACKERS = 200;
const SECONDS = 25;

let upstream: Upstream;
let gateway: Gateway;
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

async function start(): Promise<void> {
  const big = ok('x'.repeat(16 * 1024 * 1024));
  upstream = await startUpstream(({ target }) => (target === '/big' ? big : ok('hello')));
  gateway = await startGateway({
    port: upstream.port,
    routes: [
      { host: '*', path: '/', exposure: 'Public' },
      { path: '/', exposure: 'Public' },
    ],
    limits: { headTimeout: 2000, bodyTimeout: 2000, sendTimeout: 2000, checkInterval: 200 },
  });
}

/** Runs the attack; resolves with its last words. */
function attack(path: string, ...flags: readonly string[]): Promise<string> {
  const url = `http://127.0.0.1:${gateway.port}${path}`;
  const general = ['-c', String(ATTACKERS), '-r', '200', '-l', String(SECONDS), '-u', url];
  const child = spawn(slowhttptest.path, [...flags, ...general], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const hear = (chunk: Buffer): void => {
    text = `${text}${chunk.toString('latin1')}`.slice(-4000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}

/** Others ask meanwhile; gives what they were answered. */
async function neighbours(until: Promise<unknown>): Promise<readonly number[]> {
  const statuses: number[] = [];
  let over = false;
  const ended = until.then(() => {
    over = true;
  });
  while (!over) {
    const { status } = await askOnce(gateway.port, 'GET /x HTTP/1.1\r\nHost: app.example\r\n\r\n');
    statuses.push(status);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await ended;
  return statuses;
}

const struck = (limit: string): number => gateway.limited.filter((name) => name === limit).length;

describe.skipIf(slowhttptest.missing)(`A160 slowhttptest ${slowhttptest.why}`, () => {
  it('slow heads are ended, and others are served', async () => {
    await start();
    const attacked = attack('/x', '-H', '-i', '1');
    const statuses = await neighbours(attacked);
    expect(await attacked).toContain('No open connections left');
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(struck('headTimeout')).toBeGreaterThan(ATTACKERS / 2);
    await eventually(() => gateway.connections === 0, 'no connection is left');
  }, 60_000);

  it('slow bodies are ended, their upstreams let go, and others are served', async () => {
    await start();
    const attacked = attack('/x', '-B', '-i', '1', '-s', '8192', '-x', '10');
    const statuses = await neighbours(attacked);
    expect(await attacked).toContain('No open connections left');
    expect(new Set(statuses)).toEqual(new Set([200]));
    const slow = gateway.records.filter(({ reason }) => reason === 'body_too_slow' || reason === 'body_timeout');
    expect(slow.length).toBeGreaterThan(ATTACKERS / 2);
    await eventually(() => gateway.connections === 0 && gateway.leases === 0, 'nothing is left');
    await eventually(() => upstream.open === 0, 'no upstream is left');
  }, 60_000);

  it('slow readers are ended, their upstreams let go, and others are served', async () => {
    await start();
    const attacked = attack('/big', '-X', '-w', '1', '-y', '512', '-n', '5', '-z', '32');
    const statuses = await neighbours(attacked);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(struck('sendTimeout')).toBeGreaterThan(ATTACKERS / 2);
    await eventually(() => gateway.connections === 0 && gateway.leases === 0, 'nothing is left', 20_000);
  }, 90_000);

  it('heads with thousands of ranges cost what any head costs', async () => {
    await start();
    const statuses = await neighbours(attack('/x', '-R', '-t', 'HEAD', '-a', '5', '-b', '2000'));
    expect(new Set(statuses)).toEqual(new Set([200]));
    await eventually(() => gateway.leases === 0, 'nothing is left');
    expect(gateway.errors).toEqual([]);
  }, 60_000);
});
