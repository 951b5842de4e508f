import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, type Gateway, startGateway, until } from '../support/gateway.ts';
import { postern } from './run.ts';

let upstream: Server;
let upstreamUrl: string;
/** Answers of paths that begin with `/slow`, held until a test lets them go. */
let held: (() => void)[];
let gateway: Gateway | undefined;
let children: ChildProcess[];
let directory: string;

beforeEach(async () => {
  held = [];
  children = [];
  directory = mkdtempSync(join(tmpdir(), 'postern-serve-'));
  upstream = createServer((request, response) => {
    const answer = (): void => {
      response.end(`upstream saw ${request.url}`);
    };
    if (request.url?.startsWith('/slow') === true) held.push(answer);
    else answer();
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const address = upstream.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  upstreamUrl = `http://127.0.0.1:${address.port}`;
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await gateway?.stop();
  gateway = undefined;
  upstream.closeAllConnections();
  upstream.close();
  rmSync(directory, { recursive: true, force: true });
});

const service = (): string => `apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: demo, namespace: shop}
spec: {url: "${upstreamUrl}"}
`;
const route = (name: string, rest = 'access: Public'): string => `apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: ${name}, namespace: shop}
spec:
  hosts: ['*']
  paths: [{type: Prefix, value: /${name}}]
  serviceRef: {name: demo}
  ${rest}
`;

async function start(args: readonly string[] = [], objects: Readonly<Record<string, string>> = {}): Promise<Gateway> {
  gateway = await startGateway({
    objects: { 'service.yaml': service(), 'open.yaml': route('open'), 'slow.yaml': route('slow'), ...objects },
    args,
  });
  return gateway;
}

const status = async (url: string): Promise<number> => (await fetch(url)).status;
const body = async (url: string): Promise<string> => await (await fetch(url)).text();
const becomes = async (url: string, expected: number): Promise<void> =>
  await until(
    async () => (await status(url)) === expected,
    `${url} to answer ${expected}`,
    () => gateway?.log() ?? '',
  );

describe('postern serve', () => {
  it('serves Routes, closes what is broken in its place only, and takes over changes', async () => {
    const { url, write, logged, log } = await start([], { 'broken.yaml': route('broken', 'acess: Public') });
    expect(await body(`${url}/open/x?y=1`)).toBe('upstream saw /open/x?y=1');
    expect(await status(`${url}/broken`)).toBe(503);
    expect(await status(`${url}/none`)).toBe(404);
    await logged(/broken\.yaml:8: Route shop\/broken: spec\.acess: is no field here; did you mean access\?/);

    write('broken.yaml', route('broken'));
    await becomes(`${url}/broken`, 200);
    await logged(/Route shop\/broken is now Public \(was Denied\)/);
    await logged(/Route shop\/broken has no problem any more/);

    const before = log().length;
    write('open.yaml', route('open', 'plugins: [{kind: OidcPlugin, name: gone}]'));
    await becomes(`${url}/open`, 503);
    expect(await status(`${url}/broken`)).toBe(200);
    await logged(/Route shop\/open is now Denied \(was Public\)/, before);
    await logged(/open\.yaml:5: Route shop\/open: spec\.hosts\[0\]/, before);
    expect(log().match(/spec\.acess/g)).toHaveLength(1);

    write('new.yaml', route('new'));
    await becomes(`${url}/new`, 200);
    await logged(/Route shop\/new is now Public \(new\)/);
    rmSync(join(gateway?.objects ?? '', 'new.yaml'));
    await becomes(`${url}/new`, 404);
    await logged(/Route shop\/new is gone \(was Public\)/);
  });

  it('keeps the whole last good state over a file that is not YAML, says so once, and says when it is mended', async () => {
    const { url, write, logged, log } = await start();
    write('open.yaml', 'kind: [Route\n');
    await logged(/open\.yaml:\d+: not YAML/);
    write('slow.yaml', route('renamed'));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await status(`${url}/open`)).toBe(200);
    expect(await status(`${url}/renamed`)).toBe(404);
    expect(log().match(/not YAML/g)).toHaveLength(1);
    write('open.yaml', route('open'));
    await logged(/every file can be used again/);
    await becomes(`${url}/renamed`, 200);
  });

  it('shows its table and explains requests to this machine, and is ready and alive', async () => {
    const { adminUrl, debugUrl } = await start();
    expect(await body(`${adminUrl}/readyz?verbose`)).toContain('readyz check passed');
    expect(await body(`${adminUrl}/livez`)).toContain('ok');
    expect(await body(`${adminUrl}/metrics`)).toContain('postern_routes{exposure="public"} 2');
    expect(await body(`${debugUrl}/debug/snapshot`)).toContain('"route": "shop/open"');
    const question = `${debugUrl}/debug/routes/match?host=localhost&path=/open/x`;
    expect(await body(question)).toContain('"exposure": "Public"');
    expect(await body(`${debugUrl}/debug/routes/match?host=localhost&path=/a/../b`)).toContain('"fault": "DotSegment"');
  });

  it('F23 ends on SIGTERM with 0: not ready first, new connections served in the grace time, requests finished', async () => {
    const { url, adminUrl, child, logged } = await start(['--grace', '2s', '--drain', '20s']);
    const slow = fetch(`${url}/slow/1`);
    await until(() => held.length === 1, 'the slow request');
    child.kill('SIGTERM');
    await until(async () => (await status(`${adminUrl}/readyz`)) === 503, 'readiness to fail');
    expect(await status(`${url}/open`)).toBe(200);
    await logged(/ending/);
    await until(
      async () =>
        await fetch(`${url}/open`).then(
          () => false,
          () => true,
        ),
      'the listener to close',
    );
    expect(child.exitCode).toBeNull();
    for (const answer of held) answer();
    expect(await (await slow).text()).toBe('upstream saw /slow/1');
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  });

  it('F26 cuts what is still under way after the drain time, and ends with 0', async () => {
    const { url, child } = await start(['--drain', '300ms']);
    const slow = fetch(`${url}/slow/1`).then(
      () => 'answered',
      () => 'cut',
    );
    await until(() => held.length === 1, 'the slow request');
    child.kill('SIGINT');
    await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    expect(await slow).toBe('cut');
  });

  it('ends at once at a second signal, but takes the doubled one of a terminal and npm for one', async () => {
    const { url, child } = await start(['--drain', '60s']);
    const slow = fetch(`${url}/slow/1`).catch(() => undefined);
    await until(() => held.length === 1, 'the slow request');
    child.kill('SIGINT');
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(child.exitCode).toBe(1);
    await slow;
  });

  it('T26 lives on when nobody reads its output any more', async () => {
    const { url, child } = await start();
    child.stdout?.destroy();
    child.stderr?.destroy();
    for (let i = 0; i < 20; i++) expect(await status(`${url}/open/${i}`)).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await status(`${url}/open`)).toBe(200);
    expect(child.exitCode).toBeNull();
  });
});

describe('a start that fails', () => {
  const addresses = async (): Promise<Record<'listen' | 'admin' | 'debug', string>> => ({
    listen: `127.0.0.1:${await freePort()}`,
    admin: `127.0.0.1:${await freePort()}`,
    debug: `127.0.0.1:${await freePort()}`,
  });
  const flags = (of: Record<string, string>): string[] =>
    Object.entries(of).map(([flag, value]) => `--${flag}=${value}`);

  it.each(['listen', 'admin', 'debug'] as const)(
    'names the flag and the variable where the %s address is taken',
    async (flag) => {
      const taken = createTcpServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const address = taken.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      try {
        const all = { ...(await addresses()), [flag]: `127.0.0.1:${address.port}` };
        const ran = await postern(['serve', '--files', directory, ...flags(all)]);
        expect(ran.code).toBe(1);
        expect(ran.stderr).toBe(
          `postern: 127.0.0.1:${address.port} is taken by another program: choose another with --${flag} ADDRESS:PORT or the variable POSTERN_${flag.toUpperCase()}\n`,
        );
      } finally {
        taken.close();
      }
    },
  );

  it('gives the reason where a file can not be used', async () => {
    writeFileSync(join(directory, 'a.yaml'), 'x: [1\n');
    writeFileSync(
      join(directory, 'b.yaml'),
      'apiVersion: postern.dev/v1alpha1\nkind: Route\nmetadata: {namespace: "A B"}\n',
    );
    const ran = await postern(['serve', '--files', directory, ...flags(await addresses())]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/a\.yaml:\d+: not YAML/);
    expect(ran.stderr).toMatch(/b\.yaml:3: metadata\.namespace: must be/);
  });

  it('gives the reason where the directory is not there', async () => {
    const ran = await postern(['serve', '--files', `${directory}/none`, ...flags(await addresses())]);
    expect([ran.code, ran.stderr]).toEqual([
      1,
      `postern: the objects can't be used:\n${directory}/none: no such file or directory\n`,
    ]);
  });

  it.each([
    ['is not there', undefined, /can't be read/],
    ['is no key list', 'k1 c2hvcnQ= 2026-01-01T00:00:00Z\n', /Line 1/],
  ])('gives the reason where the keys file %s, and nothing that is in it', async (_, text, expected) => {
    const file = join(directory, 'keys');
    if (text !== undefined) writeFileSync(file, text);
    const ran = await postern(['serve', '--files', directory, '--keys-file', file, ...flags(await addresses())]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(expected);
    expect(ran.stderr).toContain('--keys-file');
    expect(ran.stderr).not.toContain('c2hvcnQ=');
  });

  it('ends with 2 and the list of all that is wrong on the command line', async () => {
    const ran = await postern(['serve', '--listen', 'x'], { POSTERN_ADMINN: 'y' });
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr.split('\n')).toEqual([
      'postern: POSTERN_ADMINN: there is no such variable; did you mean POSTERN_ADMIN?',
      expect.stringContaining('postern: --listen: "x"'),
      expect.stringContaining('postern: --files: this is missing'),
      'See postern serve --help.',
      '',
    ]);
  });

  it('is logged as a bug where it is one, and ends with 1', async () => {
    writeFileSync(join(directory, 'open.yaml'), route('open'));
    const bug = 'data:text/javascript,process.on("SIGUSR2",()=>{Promise.reject(new Error("planted"))})';
    const child = spawn(
      process.execPath,
      ['--import', bug, 'src/main.ts', 'serve', '--files', directory, ...flags(await addresses())],
      { env: {}, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    children.push(child);
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    await until(
      () => log.includes('serves'),
      'the start',
      () => log,
    );
    child.kill('SIGUSR2');
    await once(child, 'close');
    expect(child.exitCode).toBe(1);
    expect(log).toMatch(/"level":"error".*planted.*this is a bug/);
  });
});
