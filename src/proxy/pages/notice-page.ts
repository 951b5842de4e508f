import type { Notice, NoticeAction } from '../../routing/decision.ts';
import { pageKind } from './document.ts';
import { type Html, html } from './html.ts';
import { MARK } from './style.ts';

export interface NoticeContext {
  /** HTTP status that the page is sent with. */
  readonly status: number;
  readonly requestId: string;
  readonly wantsJson: boolean;
}

export interface RenderedNotice {
  readonly contentType: string;
  readonly body: string;
}

const PAGE = pageKind(`
body{min-height:100vh;min-height:100svh;display:grid;grid-template-rows:1fr auto;justify-items:center;padding:1.25rem}
main{align-self:center;width:100%;max-width:36rem;padding:2.5rem 0}
.mark{margin-bottom:1.75rem}
.keyhole{fill:var(--ground)}
.status{margin:0 0 .4rem;color:var(--muted);font-weight:600;letter-spacing:.02em}
h1{font-size:clamp(1.65rem,1.2rem + 2.2vw,2.35rem)}
.text{margin-top:1rem;font-size:1.125rem}
.advice{margin-top:.75rem;color:var(--muted)}
.action{margin:1.75rem 0 0}
footer{width:100%;max-width:36rem;border-top:1px solid var(--line);padding:1rem 0 .5rem;color:var(--muted);font-size:.875rem}
footer code{color:var(--ink);user-select:all}
`);

/** `Content-Security-Policy` to send with every page that `renderNotice` makes. */
export const NOTICE_POLICY = PAGE.policy;

/**
 * A notice as one self-contained page, or as JSON `{error, message, advice?, action?, request_id}` for who asked for
 * that. Every value is escaped for where it stands (A095).
 */
export function renderNotice(notice: Notice, context: NoticeContext): RenderedNotice {
  return context.wantsJson
    ? { contentType: 'application/json', body: renderJson(notice, context) }
    : { contentType: 'text/html; charset=utf-8', body: renderPage(notice, context) };
}

function renderPage(notice: Notice, context: NoticeContext): string {
  const body = html`<main>
${MARK}
${context.status < 400 ? undefined : html`<p class="status">Error ${context.status}</p>`}
<h1>${notice.title}</h1>
<p class="text">${notice.text}</p>
${notice.advice === undefined ? undefined : html`<p class="advice">${notice.advice}</p>`}
${renderAction(notice.action)}
</main>
<footer>
<p>Request id <code>${context.requestId}</code></p>
<p>Whoever runs this site finds the details under this id in the gateway’s log.</p>
</footer>`;
  return PAGE.render({ title: notice.title, body });
}

function renderAction(action: NoticeAction | undefined): Html | undefined {
  if (action?.kind === 'Link' && isLocal(action.href)) {
    return html`<p class="action"><a class="button" href="${action.href}">${action.label}</a></p>`;
  }
  if (action?.kind === 'Form' && isLocal(action.action)) {
    return html`<form class="action" method="post" action="${action.action}"><button class="button" type="submit">${action.label}</button></form>`;
  }
  return undefined;
}

function renderJson(notice: Notice, context: NoticeContext): string {
  const { action } = notice;
  const href = action === undefined ? undefined : action.kind === 'Link' ? action.href : action.action;
  const value = {
    error: notice.code,
    message: notice.text,
    advice: notice.advice,
    action:
      action !== undefined && href !== undefined && isLocal(href)
        ? { method: action.kind === 'Link' ? 'GET' : 'POST', label: action.label, href }
        : undefined,
    request_id: context.requestId,
  };
  // A browser that sniffs in spite of the content type finds no markup.
  return `${JSON.stringify(value).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)}\n`;
}

/** A path of this host and nothing that a browser reads as another place: `//host`, `/\host`, `javascript:` (A090). */
const isLocal = (href: string): boolean => /^\/(?![/\\])[^\\\p{Cc}\s]*$/u.test(href);
