import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOTICE_POLICY, renderNotice } from '../../src/proxy/pages/notice-page.ts';
import { forbidden } from '../../src/proxy/pages/notices.ts';
import type { Notice } from '../../src/routing/decision.ts';

const PAGE = { status: 403, requestId: 'r-1', wantsJson: false };
const JSON_FORM = { ...PAGE, wantsJson: true };

const notice = (fields: Partial<Notice> = {}): Notice => ({
  code: 'login_failed',
  title: 'The login failed',
  text: 'The provider said no.',
  advice: undefined,
  action: undefined,
  ...fields,
});

/** The document without its style sheet, which a golden test of the structure has no use for. */
const structure = (body: string): string =>
  body
    .replace(/<style>.*?<\/style>/s, '<style/>')
    .replace(/<svg.*?<\/svg>/s, '<svg/>')
    .replace(/href="data:[^"]*"/, 'href="data:"');

/** UTF-16 code units of any kind, often those that mean something in HTML or can't be shown. */
const HOSTILE = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'<>&"\'`=/\\\u0000\u007f\u202e\ud800\n'),
    fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  ),
});

describe('a notice as a page', () => {
  it('is one document with language, title, one heading, main and the request id', () => {
    const { contentType, body } = renderNotice(
      notice({ advice: 'Try again.', action: { kind: 'Link', label: 'Back', href: '/orders?a=1&b=2' } }),
      PAGE,
    );
    expect(contentType).toBe('text/html; charset=utf-8');
    expect(structure(body)).toMatchInlineSnapshot(`
      "<!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="robots" content="noindex">
      <meta name="referrer" content="same-origin">
      <link rel="icon" href="data:">
      <style/>
      <title>The login failed</title>
      </head>
      <body>
      <main>
      <svg/>
      <p class="status">Error 403</p>
      <h1>The login failed</h1>
      <p class="text">The provider said no.</p>
      <p class="advice">Try again.</p>
      <p class="action"><a class="button" href="/orders?a=1&amp;b=2">Back</a></p>
      </main>
      <footer>
      <p>Request id <code>r-1</code></p>
      <p>Whoever runs this site finds the details under this id in the gateway’s log.</p>
      </footer>
      </body>
      </html>
      "
    `);
  });

  it('loads nothing, has no script, and the policy lets in its own style only', () => {
    const { body } = renderNotice(forbidden('admins only'), PAGE);
    const style = /<style>(.*)<\/style>/s.exec(body)?.[1] ?? '';
    expect(NOTICE_POLICY).toContain(`'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(NOTICE_POLICY).toContain("default-src 'none'");
    expect(NOTICE_POLICY).not.toContain('unsafe');
    expect(body).not.toMatch(/<script|\son\w+=|style="|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg)/i);
  });

  it('speaks of an error only where there is one', () => {
    expect(renderNotice(notice(), PAGE).body).toContain('Error 403');
    expect(renderNotice(notice(), { ...PAGE, status: 200 }).body).not.toContain('class="status"');
  });

  it('names the rule that refused', () => {
    expect(renderNotice(forbidden('admins only'), PAGE).body).toContain('“admins only”');
    expect(renderNotice(forbidden(undefined), PAGE).body).toContain('none of the rules');
  });

  it('offers who is refused to sign out, where there is a path for that', () => {
    expect(renderNotice(forbidden('a'), PAGE).body).not.toContain('<form');
    const { body } = renderNotice(forbidden('a', '/_oidc/a/logout'), PAGE);
    expect(body).toContain('<form class="action" method="post" action="/_oidc/a/logout">');
  });

  it('makes a form of a form action', () => {
    const { body } = renderNotice(
      notice({ action: { kind: 'Form', label: 'Sign out', action: '/_oidc/a/logout' } }),
      PAGE,
    );
    expect(body).toContain(
      '<form class="action" method="post" action="/_oidc/a/logout"><button class="button" type="submit">Sign out</button></form>',
    );
  });

  it('A095 escapes every field, whatever is in it', () => {
    fc.assert(
      fc.property(HOSTILE, (noise) => {
        const hostile = `<img src=x onerror=1>"'${noise}`;
        const { body } = renderNotice(
          {
            code: hostile,
            title: hostile,
            text: hostile,
            advice: hostile,
            action: { kind: 'Link', label: hostile, href: '/' },
          },
          { ...PAGE, requestId: hostile },
        );
        const tags = (text: string): readonly string[] => text.match(/<[a-z!/][^>]*>/gi) ?? [];
        const plain = renderNotice(
          { code: 'c', title: 't', text: 't', advice: 'a', action: { kind: 'Link', label: 'l', href: '/' } },
          PAGE,
        );
        expect(tags(body)).toEqual(tags(plain.body));
      }),
    );
  });
});

const ELSEWHERE = [
  'javascript:alert(1)',
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  '/ /evil.example',
  'https://evil.example/',
  'http:evil.example',
  'data:text/html,x',
  'orders',
  '',
];

describe.each(ELSEWHERE)('A090 an action to %j', (href) => {
  it.each(['Link', 'Form'] as const)('is left out of the page and of JSON as a %s', (kind) => {
    const action =
      kind === 'Link' ? ({ kind, label: 'Go', href } as const) : ({ kind, label: 'Go', action: href } as const);
    expect(renderNotice(notice({ action }), PAGE).body).not.toMatch(/<a |<form/);
    expect(JSON.parse(renderNotice(notice({ action }), JSON_FORM).body)).not.toHaveProperty('action');
  });
});

describe('a notice as JSON', () => {
  it('has error, message, request_id, and the rest where there is one', () => {
    const { contentType, body } = renderNotice(notice(), JSON_FORM);
    expect(contentType).toBe('application/json');
    expect(JSON.parse(body)).toEqual({ error: 'login_failed', message: 'The provider said no.', request_id: 'r-1' });
    const full = notice({ advice: 'Try again.', action: { kind: 'Form', label: 'Sign out', action: '/out' } });
    expect(JSON.parse(renderNotice(full, JSON_FORM).body)).toEqual({
      error: 'login_failed',
      message: 'The provider said no.',
      advice: 'Try again.',
      action: { method: 'POST', label: 'Sign out', href: '/out' },
      request_id: 'r-1',
    });
  });

  it('A095 has no markup in it, whatever the fields, and says them unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const { body } = renderNotice(notice({ text: `<b>&${text}` }), JSON_FORM);
        expect(body).not.toMatch(/[<>&]/);
        expect(JSON.parse(body)).toMatchObject({ message: `<b>&${text}` });
      }),
    );
  });
});
