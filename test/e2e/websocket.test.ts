import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { chromium, pythonWebsockets } from '../support/parts.ts';
import { Visitor } from '../support/visitor.ts';
import { askEcho, type EchoServer, startEchoServer } from '../support/websockets.ts';
import { startWorld, type World } from '../support/world.ts';

const route = (name: string, path: string, more: string): string => `
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: ${name}, namespace: shop}
spec:
  hosts: [HOST]
  paths: [{type: Prefix, value: ${path}}]
  ${more}
---`;
async function signIn(visitor: Visitor, address: string): Promise<void> {
  const page = await visitor.open(address);
  const answer = await visitor.ask(page.url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'username=ada&password=lovelace',
  });
  await visitor.open(new URL(answer.headers.location ?? '', answer.url));
}

const GUARDED = 'plugins: [{kind: OidcPlugin, name: idp}]';

describe.skipIf(pythonWebsockets.missing)(`WebSockets through a login ${pythonWebsockets.why}`, () => {
  let echo: EchoServer;
  let world: World;
  beforeAll(async () => {
    echo = await startEchoServer();
    world = await startWorld({
      routes: `${route('orders', '/orders', `${GUARDED}\n  serviceRef: {name: shop}`)}
${route('ws', '/ws', `${GUARDED}\n  serviceRef: {name: echo}`)}
${route('open', '/open', 'access: Public\n  serviceRef: {name: echo}')}
apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: echo, namespace: shop}
spec: {url: 'http://127.0.0.1:${echo.port}'}
`,
      plugin: '  session: {idleTimeout: 1m, absoluteTimeout: 1h}',
    });
  });
  afterAll(async () => {
    await world.stop();
    await echo.close();
  });
  const url = (path: string): string => `${world.site.replace('http', 'ws')}${path}`;

  it('python3-websockets on both sides: messages of every size, pings and the close go through', async () => {
    const asked = await askEcho(url('/open/headers'), { 'X-Forwarded-Email': 'mallory@example.com' });
    expect(asked).toMatchObject({ status: 101, close: 1000 });
    expect(asked.first?.map(([name]) => name.toLowerCase())).not.toContain('x-forwarded-email');
    expect(await askEcho(url('/open/close'))).toMatchObject({ status: 101, close: 1001 });
  });

  it('A082 without a session 401, with one the identity', async () => {
    expect(await askEcho(url('/ws'))).toEqual({ status: 401 });
    expect(await askEcho(url('/ws'), { Cookie: 'postern-s-12345678=x' })).toEqual({ status: 401 });
    const visitor = new Visitor();
    await signIn(visitor, `${world.site}/orders`);
    const cookie = visitor.jar.header(new URL(`${world.site}/ws`));
    const asked = await askEcho(url('/ws/headers'), { Cookie: cookie });
    expect(asked).toMatchObject({ status: 101, close: 1000 });
    const emails = asked.first?.filter(([name]) => name.toLowerCase() === 'x-forwarded-email');
    expect(emails).toEqual([['X-Forwarded-Email', 'ada@example.com']]);
    expect(await askEcho(url('/ws'), { Cookie: cookie, Origin: 'http://evil.example' })).toEqual({ status: 403 });
    expect(await askEcho(url('/ws'), { Cookie: cookie, Origin: world.site })).toMatchObject({ status: 101 });
  });

  describe.skipIf(chromium.missing)(`in Chromium ${chromium.why}`, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser.close());

    /** Opens a WebSocket from a page: what comes back, and how it ends. */
    const talk = (page: Page, target: string): Promise<string> =>
      page.evaluate(
        (to) =>
          new Promise<string>((resolve) => {
            const socket = new WebSocket(to);
            socket.onopen = () => socket.send('hello');
            socket.onmessage = ({ data }) => {
              socket.close(1000);
              resolve(`back: ${data}`);
            };
            socket.onclose = ({ code }) => resolve(`closed: ${code}`);
          }),
        target,
      );
    const signedIn = async (): Promise<Page> => {
      const page = await (await browser.newContext()).newPage();
      await page.goto(`${world.site}/orders`);
      await page.fill('input[name=username]', 'ada');
      await page.fill('input[name=password]', 'lovelace');
      await page.click('button[type=submit]');
      await page.waitForURL(`${world.site}/**`);
      // The service's own pages forbid connections (Content-Security-Policy); this one, which is plain text, doesn't.
      await page.goto(`${world.site}/open`);
      return page;
    };

    it('a page of the Route may connect after the login, and not before', async () => {
      const page = await (await browser.newContext()).newPage();
      await page.goto(`${world.site}/open`);
      expect(await talk(page, url('/ws'))).toBe('closed: 1006');
      expect(await talk(await signedIn(), url('/ws'))).toBe('back: hello');
    });

    it('A082 a page of a sibling origin may not, though the browser sends the session', async () => {
      const sibling = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<p>'));
      sibling.listen(0, '127.0.0.1');
      await once(sibling, 'listening');
      const page = await signedIn();
      // Another port is another origin of the same site, which SameSite=Lax lets in.
      await page.goto(`http://localhost:${(sibling.address() as AddressInfo).port}/`);
      expect(await talk(page, url('/ws'))).toBe('closed: 1006');
      await world.gateway.logged(/"path":"\/ws","status":403,[^\n]*"reason":"origin"/);
      sibling.closeAllConnections();
      sibling.close();
    });

    it('A084 a WebSocket ends with its session', { timeout: 150_000 }, async () => {
      const page = await signedIn();
      const seconds = await page.evaluate(
        (to) =>
          new Promise<number>((resolve) => {
            const socket = new WebSocket(to);
            const since = Date.now();
            const ticking = setInterval(() => socket.send('tick'), 200);
            socket.onclose = () => {
              clearInterval(ticking);
              resolve((Date.now() - since) / 1000);
            };
          }),
        url('/ws'),
      );
      expect(seconds).toBeGreaterThan(30);
      expect(seconds).toBeLessThan(80);
      await world.gateway.logged(/"tunnel_end":"session_end"/);
    });
  });
});
