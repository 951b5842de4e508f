import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import { BASE_STYLE, ICON } from './style.ts';

/** A kind of page: its style sheet, and the Content-Security-Policy that lets in this style sheet and nothing else. */
export interface PageKind {
  /** Value of the `Content-Security-Policy` header that every page of this kind is sent with. */
  readonly policy: string;
  render(page: Page): string;
}

interface Page {
  readonly title: string;
  readonly body: Html;
}

/**
 * No script, no frame, nothing loaded. There is no `form-action`: browsers apply it to redirects too, and signing out
 * leads from a form of ours to the provider. What it would prevent, a form smuggled in, escaping prevents.
 */
export function pageKind(style: string): PageKind {
  const sheet = BASE_STYLE + style;
  const hash = createHash('sha256').update(sheet).digest('base64');
  const head = html`<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="referrer" content="same-origin">
<link rel="icon" href="${ICON}">
<style>${Html.literal(sheet)}</style>`;
  return {
    policy: `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; frame-ancestors 'none'`,
    render: (page) =>
      html`<!doctype html>
<html lang="en">
<head>
${head}
<title>${page.title}</title>
</head>
<body>
${page.body}
</body>
</html>
`.toString(),
  };
}
