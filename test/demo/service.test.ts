import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoService, startService } from '../../demo/service.ts';

let service: DemoService;

beforeAll(async () => {
  service = await startService({ port: 0, logoutPath: '/_oidc/demo/logout' });
});
afterAll(() => service.close());

/** `headers`: bytes as Latin-1, which `fetch` wouldn't send. */
function ask(
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Promise<{ type: string; policy: string; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(service.url + path, { method: body === '' ? 'GET' : 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          type: response.headers['content-type'] ?? '',
          policy: String(response.headers['content-security-policy']),
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const PAGE = { accept: 'text/html' };

describe('the demo service', () => {
  it('echoes everything as JSON', async () => {
    const { type, text } = await ask(
      '/orders?item=17&item=x%20y',
      { Accept: 'application/json', 'X-Forwarded-User': 'u-1', 'X-A': '1' },
      'hello',
    );
    expect(type).toBe('application/json');
    expect(JSON.parse(text)).toMatchObject({
      method: 'POST',
      url: '/orders?item=17&item=x%20y',
      path: '/orders',
      query: [
        ['item', '17'],
        ['item', 'x y'],
      ],
      identity: { user: 'u-1' },
      body: { bytes: 5, text: 'hello' },
    });
    expect(JSON.parse(text).headers).toContainEqual(['X-A', '1']);
  });

  it('shows what it was asked, and that nobody is signed in', async () => {
    const { type, text } = await ask('/open?a=1', PAGE);
    expect(type).toBe('text/html; charset=utf-8');
    expect(text).toContain('<span class="url">/open?a=1</span>');
    expect(text).toContain('Nobody told the service who you are');
    expect(text).not.toContain('Sign out');
    expect(text).toMatch(/<a href="\/open" aria-current="page">/);
  });

  it('shows who is signed in, sets identity headers apart, and offers to sign out', async () => {
    const { text } = await ask('/orders', {
      ...PAGE,
      'X-Forwarded-Preferred-Username': 'ada',
      'X-Forwarded-Email': 'ada@example.com',
      'X-Other': 'plain',
    });
    expect(text).toContain('You are ada');
    expect(text).toContain('<form method="post" action="/_oidc/demo/logout">');
    const [, identity = '', rest = ''] = /class="group identity">(.*?)<\/div>(.*)/s.exec(text) ?? [];
    expect(identity).toContain('X-Forwarded-Email');
    expect(identity).not.toContain('X-Other');
    expect(rest).toContain('X-Other');
  });

  it('tells a Host that the gateway wrote from one of the browser', async () => {
    const group = (text: string, name: string): string =>
      text.split(`class="group ${name}"`)[1]?.split('</table>')[0] ?? '';
    const direct = await ask('/open', PAGE);
    expect(group(direct.text, 'plain')).toContain('Host');
    const passedOn = await ask('/open', { ...PAGE, 'X-Forwarded-Host': 'localhost:8080' });
    expect(group(passedOn.text, 'forwarding')).toMatch(/>Host</);
    expect(group(passedOn.text, 'plain')).not.toMatch(/>Host</);
  });

  it('A095 escapes hostile headers, query and token claims', async () => {
    const script = '<script>alert(1)</script>"\'';
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: script, [script]: 1 })}.${part({ sub: script, [script]: [script] })}.x`;
    const { text, policy } = await ask(`/orders?${encodeURIComponent(script)}=${encodeURIComponent(script)}`, {
      ...PAGE,
      Authorization: `Bearer ${token}`,
      'X-Forwarded-User': script,
      'X-Latin': 'caf\u00e9 \u009b',
      'X-Utf8': Buffer.from('Žofie').toString('latin1'),
    });
    expect(text).not.toMatch(/<script/i);
    expect(text).toContain('Žofie');
    expect(text).toContain('caf\u00e9 \ufffd');
    expect(policy).toContain("default-src 'none'");
  });
});
