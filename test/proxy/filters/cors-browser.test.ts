import { createServer, type Server } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../../support/browser.ts';
import { chromium } from '../../support/parts.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { ok, startUpstream, type Upstream } from '../support/upstream.ts';

/** A page of one origin, and the gateway at another of the same site: what a browser lets its scripts do and read. */
describe.skipIf(chromium.missing)(`cors, as a browser has it ${chromium.why}`, () => {
  let upstream: Upstream;
  let gateway: Gateway;
  let pages: Server;
  let browser: Browser;
  let pagesPort = 0;
  beforeAll(async () => {
    upstream = await startUpstream((request) => ok(`${request.method} as ${request.header('x-forwarded-user')}`));
    pages = createServer((_request, response) => response.end('<!doctype html><title>page</title>'));
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    const address = pages.address();
    pagesPort = address === null || typeof address === 'string' ? 0 : address.port;
    const cors = {
      allowOrigins: [`http://page.app.example:${pagesPort}`],
      allowMethods: ['GET', 'PUT'],
      allowHeaders: ['X-Csrf'],
      exposeHeaders: ['X-Request-Id'],
      allowCredentials: true,
    };
    gateway = await startGateway({
      port: upstream.port,
      routes: [
        { path: '/', exposure: 'Public' },
        { path: '/api', exposure: 'Protected', filters: { cors } },
      ],
    });
    browser = await launchBrowser(['app.example', 'page.app.example', 'other.app.example']);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
    await upstream?.close();
    pages?.close();
  });

  /** `STATUS BODY` of a fetch by a script of that host, or `blocked`. */
  const fetched = async (host: string, path: string, init: object): Promise<string> => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await context.addCookies([{ name: 'user', value: '1', domain: 'app.example', path: '/with' }]);
    await context.addCookies([{ name: 'user', value: '1', domain: 'app.example', path: '/api/with' }]);
    await page.goto(`http://${host}:${pagesPort}/`);
    const text = `fetch(${JSON.stringify(`http://app.example:${gateway.port}${path}`)}, ${JSON.stringify(init)})
      .then(async (r) => r.status + ' ' + (r.headers.get('x-request-id') ? 'id ' : '') + (await r.text()), () => 'blocked')`;
    const answer: unknown = await page.evaluate(text);
    await context.close();
    return String(answer);
  };
  const PUT = { method: 'PUT', credentials: 'include', headers: { 'X-Csrf': '1' }, body: 'x' };

  it('A020 a page that is listed asks first, then acts with the session', async () => {
    const before = upstream.seen.length;
    expect(await fetched('page.app.example', '/api/with', PUT)).toBe('200 id PUT as alice');
    expect(upstream.seen.slice(before).map(({ method }) => method)).toEqual(['PUT']);
    expect(gateway.records.filter(({ outcome }) => outcome === 'preflight')).toHaveLength(1);
  }, 60_000);

  it('a page that is listed reads its 401', async () => {
    const answer = await fetched('page.app.example', '/api/without', { credentials: 'include' });
    expect(answer).toMatch(/^401 id \{.*unauthenticated/);
  }, 60_000);

  it('what is not listed is blocked: another page, another method, another header, another Route', async () => {
    const before = upstream.seen.length;
    expect(await fetched('other.app.example', '/api/with', PUT)).toBe('blocked');
    expect(await fetched('page.app.example', '/api/with', { ...PUT, method: 'DELETE' })).toBe('blocked');
    expect(await fetched('page.app.example', '/api/with', { ...PUT, headers: { 'X-Other': '1' } })).toBe('blocked');
    expect(upstream.seen.length).toBe(before);
    expect(await fetched('page.app.example', '/open', { credentials: 'include' })).toBe('blocked');
  }, 60_000);
});
