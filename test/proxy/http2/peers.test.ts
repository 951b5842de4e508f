import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../../support/browser.ts';
import { chromium, curl, h2load, openssl } from '../../support/parts.ts';
import { ALICE, type Gateway, startGateway } from '../support/gateway.ts';
import { type TestCertificates, testCertificates } from '../support/secure.ts';
import { ok, startUpstream, type Upstream } from '../support/upstream.ts';

const run = promisify(execFile);

describe.skipIf(openssl.missing)(`HTTP/2 clients that nobody here wrote ${openssl.why}`, () => {
  let certificates: TestCertificates;
  let upstream: Upstream;
  let gateway: Gateway;
  beforeAll(async () => {
    certificates = testCertificates();
    upstream = await startUpstream(({ method, body }) => ok(`${method} ${body.length}`));
    gateway = await startGateway({
      port: upstream.port,
      https: { certificates: certificates.store, plain: 'Redirect', http2: true },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
    certificates.remove();
    expect(gateway.errors).toEqual([]);
    expect(gateway.leases).toBe(0);
  });

  it.skipIf(curl.missing)(`curl ${curl.why}`, async () => {
    const ask = async (...more: readonly string[]): Promise<string> => {
      const resolve = `app.example:${gateway.tlsPort}:127.0.0.1`;
      const format = ' %{http_version} %{http_code}';
      const url = `https://app.example:${gateway.tlsPort}`;
      const common = ['-sk', '--max-time', '20', '--resolve', resolve, '-w', format];
      return (await run(curl.path, [...common, ...more.map((each) => each.replace('URL', url))])).stdout;
    };
    expect(await ask('--http2', 'URL/x')).toBe('GET 0 2 200');
    expect(await ask('--http1.1', 'URL/x')).toBe('GET 0 1.1 200');
    expect(await ask('--http2', '--data-binary', 'a'.repeat(100_000), 'URL/x')).toBe('POST 100000 2 200');
    expect(await ask('--http2', '-H', 'Expect: 100-continue', '--data-binary', 'abc', 'URL/x')).toBe('POST 3 2 200');
    expect(await ask('--http2', '--head', 'URL/x')).toContain('HTTP/2 200');
    expect(await ask('--http2', '-o', '/dev/null', '--data-binary', 'a'.repeat(100_000), 'URL/private')).toBe(' 2 401');
    expect(await ask('--http2', '-b', 'user=1', 'URL/private')).toBe('GET 0 2 200');
  });

  it.skipIf(h2load.missing)(`h2load ${h2load.why}`, async () => {
    const before = upstream.seen.length;
    const { stdout } = await run(h2load.path, [
      ...['-n', '3000', '-c', '5', '-m', '20', '-T', '30'],
      ...['-H', ':authority: 127.0.0.1', `https://127.0.0.1:${gateway.tlsPort}/x`],
    ]).catch((error: unknown) => ({ stdout: String(error) }));
    // By address: no Route is for it, and each is answered.
    expect(stdout).toMatch(/3000 total, 3000 started, 3000 done/);
    expect(stdout).toMatch(/0 errored, 0 timeout/);
    expect(upstream.seen.length).toBe(before);
  });

  it.skipIf(chromium.missing)(
    `Chromium: a session of the browser is the same over HTTP/2 ${chromium.why}`,
    async () => {
      const own = await startGateway({
        port: upstream.port,
        https: { certificates: certificates.store, plain: 'Redirect', http2: true },
        // A login as short as can be: a redirect that sets the session, and back.
        plugin: {
          decide: (request) =>
            request.header('cookie')?.includes('user=alice') === true
              ? { kind: 'continue', identity: ALICE, headers: [], cookies: ['seen=1; Path=/; Secure'] }
              : {
                  kind: 'respond',
                  status: 302,
                  headers: [{ name: 'Location', value: request.path }],
                  cookies: ['user=alice; Path=/; Secure; HttpOnly; SameSite=Lax', 'other=2; Path=/; Secure'],
                  notice: undefined,
                  outcome: 'login',
                },
        },
      });
      const browser = await launchBrowser(['app.example']);
      try {
        const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
        const response = await page.goto(`https://app.example:${own.tlsPort}/private`);
        expect([response?.status(), await page.textContent('body')]).toEqual([200, 'GET 0']);
        const protocol = await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol");
        expect(protocol).toBe('h2');
        const posted = await page.evaluate(async () => {
          const answer = await fetch('/private/x', { method: 'POST', body: 'a'.repeat(200_000) });
          return `${answer.status} ${await answer.text()}`;
        });
        expect(posted).toBe('200 POST 200000');
        expect(upstream.seen.at(-1)?.all('cookie').length).toBe(1);
        expect(own.records.map(({ status }) => status).slice(0, 2)).toEqual([302, 200]);
      } finally {
        await browser.close();
        await own.close();
      }
    },
  );
});
