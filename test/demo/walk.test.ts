import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { until } from '../support/gateway.ts';
import { chromium } from '../support/parts.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ORDERS = '/orders?item=17&sort=price';

/** The walk that `npm run demo` prints, as a stranger with a browser does it. Each step stands on the one before. */
describe.skipIf(chromium.missing)(`npm run demo ${chromium.why}`, () => {
  let directory: string;
  let demo: ChildProcess;
  let terminal = '';
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  /** The end of the printed line that begins with `name`. */
  const printed = (name: string): string => new RegExp(`^${name} +(\\S+)$`, 'm').exec(terminal)?.[1] ?? '';
  const password = (name: string): string => new RegExp(`^ +${name} +(\\S+)`, 'm').exec(terminal)?.[1] ?? '';
  const said = (pattern: RegExp, since: number): Promise<void> =>
    until(
      () => pattern.test(terminal.slice(since)),
      `the terminal to say ${pattern}`,
      () => terminal,
    );
  const edit = (file: string, change: (text: string) => string): void => {
    const path = join(printed('objects'), file);
    const before = readFileSync(path, 'utf8');
    const after = change(before);
    expect(after).not.toBe(before);
    writeFileSync(path, after);
  };
  const signIn = async (name: string): Promise<void> => {
    await page.waitForURL(`${printed('provider')}/**`);
    await page.getByLabel('User name').fill(name);
    await page.getByLabel('Password').fill(password(name));
    await page.getByRole('button', { name: 'Sign in' }).click();
  };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'postern-demo-'));
    const ports = ['GATEWAY', 'PROVIDER', 'SERVICE', 'METRICS', 'DEBUG'].map((name) => [
      `POSTERN_DEMO_${name}_PORT`,
      '0',
    ]);
    demo = spawn('npm', ['run', 'demo'], {
      cwd: ROOT,
      env: { ...process.env, ...Object.fromEntries(ports), POSTERN_DEMO_DIRECTORY: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that Ctrl-C can be sent to all of it, as a terminal does.
      detached: true,
    });
    const collect = (chunk: Buffer): void => {
      terminal += chunk.toString('utf8');
    };
    demo.stdout?.on('data', collect);
    demo.stderr?.on('data', collect);
    await until(
      () => {
        if (demo.exitCode !== null) throw new Error(`the demo ended with ${demo.exitCode}:\n${terminal}`);
        return terminal.includes('Ctrl-C ends everything');
      },
      'the demo to serve',
      () => terminal,
    );
    browser = await launchBrowser();
    context = await browser.newContext();
    page = await context.newPage();
  });

  afterAll(async () => {
    await browser?.close();
    if (demo?.pid !== undefined && demo.exitCode === null && demo.signalCode === null)
      process.kill(-demo.pid, 'SIGTERM');
    rmSync(directory, { recursive: true, force: true });
  });

  it('prints where everything is, two sites for a browser, and who can sign in', () => {
    expect(printed('gateway')).toMatch(/^http:\/\/localhost:\d+$/);
    expect(printed('provider')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(printed('service')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(printed('metrics')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    expect(printed('objects')).toBe(join(directory, 'objects'));
    expect(['ada', 'grace', 'alan'].map(password)).not.toContain('');
  });

  it('(1) /orders is open to anybody', async () => {
    const response = await page.goto(printed('gateway') + ORDERS);
    expect(response?.status()).toBe(200);
    expect(await page.content()).toContain('Nobody told the service who you are');
  });

  it('(2) two lines in a file put the login in front of it, and the log says so', async () => {
    const since = terminal.length;
    edit('route-orders.yaml', (text) =>
      text
        .replace('  access: Public', '  # access: Public')
        .replace('  # plugins:', '  plugins:')
        .replace('  #   - {kind', '    - {kind'),
    );
    await said(/demo\/orders.*Protected|Protected.*demo\/orders/, since);
  });

  it('(3) a reload leads to the provider, and back to the very URL with identity and token', async () => {
    await page.reload();
    await signIn('ada');
    await page.waitForURL(printed('gateway') + ORDERS);
    expect(await page.getByRole('heading', { name: 'You are ada' }).count()).toBe(1);
    expect(await page.locator('.group.identity').textContent()).toMatch(
      /X-Forwarded-Email.*ada@example\.com|ada@example\.com/is,
    );
    const token = page.locator('.token');
    expect(await token.locator('h2').textContent()).toContain('access token');
    const claims = await token.locator('.claims th').allTextContents();
    expect(claims).toEqual(expect.arrayContaining(['alg', 'iss', 'sub', 'aud', 'exp', 'iat', 'client_id']));
    expect(await token.locator('tr', { hasText: 'exp' }).first().textContent()).toMatch(/UTC, in \d+ minutes/);
    const data = await context.request.get(printed('gateway') + ORDERS, { headers: { accept: 'application/json' } });
    expect(await data.json()).toMatchObject({
      url: ORDERS,
      identity: { user: 'u-1815', name: 'ada', email: 'ada@example.com', groups: 'analysts' },
      tokens: [{ payload: { sub: 'u-1815', iss: printed('provider') } }],
    });
  });

  it('(4) /admin refuses the plain user, by the name of the rule, and lets the admin in', async () => {
    const refused = await page.goto(`${printed('gateway')}/admin`);
    expect(refused?.status()).toBe(403);
    expect(await page.content()).toContain('“admins only”');
    const script = await context.request.get(`${printed('gateway')}/admin`, {
      headers: { accept: 'application/json' },
    });
    expect([script.status(), await script.json()]).toMatchObject([403, { error: 'forbidden' }]);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${printed('provider')}/**`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${printed('gateway')}/open`);
    await page.goto(`${printed('gateway')}/admin`);
    await signIn('grace');
    await page.waitForURL(`${printed('gateway')}/admin`);
    expect(await page.getByRole('heading', { name: 'You are grace' }).count()).toBe(1);
  });

  it('(5) /metrics shows the login, stage by stage, and the refusal', async () => {
    const text = await (await fetch(printed('metrics'))).text();
    for (const stage of ['started', 'returned', 'exchanged', 'session_created'])
      expect(text).toMatch(new RegExp(`^postern_oidc_logins_total\\{plugin="demo/demo",stage="${stage}"\\} 2$`, 'm'));
    expect(text).toMatch(
      /^postern_authorization_decisions_total\{route="demo\/admin",rule="admins only",decision="\w+"\} 2$/m,
    );
  });

  it('(6) a broken plugin closes its Routes, opens none, and the terminal names the field', async () => {
    const since = terminal.length;
    edit('oidcplugin.yaml', (text) => text.replace(/issuer: \S+/, 'issuer: "not a url"'));
    await said(/spec\.issuer/, since);
    const statuses = ['/orders', '/admin', '/open'].map(async (path) =>
      (await page.request.get(printed('gateway') + path)).status(),
    );
    expect(await Promise.all(statuses)).toEqual([503, 503, 200]);
    const closed = await page.goto(printed('gateway') + ORDERS);
    expect(closed?.status()).toBe(503);
    expect(await page.content()).toContain('closed for now');
  });

  it('Ctrl-C ends everything, with exit code 0', async () => {
    const ended = once(demo, 'exit');
    if (demo.pid !== undefined) process.kill(-demo.pid, 'SIGINT');
    expect(await ended).toEqual([0, null]);
    for (const name of ['gateway', 'provider', 'service', 'metrics'])
      await expect(fetch(printed(name))).rejects.toThrow('fetch failed');
  });
});
