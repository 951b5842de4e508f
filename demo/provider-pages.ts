import { pageKind } from '../src/proxy/pages/document.ts';
import { Html, html } from '../src/proxy/pages/html.ts';
import type { DemoUser } from './users.ts';

const PAGE = pageKind(`
body{min-height:100vh;min-height:100svh;display:grid;place-items:center;padding:1.25rem}
main{width:100%;max-width:25rem;padding:1.5rem 0}
.panel{background:var(--surface);border:1px solid var(--line);border-radius:1rem;padding:2rem}
.brand{display:flex;align-items:center;gap:.6rem;color:var(--muted);font-size:.9rem;margin-bottom:1.5rem}
.key{width:1.6rem;height:1.6rem;color:var(--accent)}
h1{font-size:1.6rem}
.lead{color:var(--muted);margin-top:.5rem}
form{margin-top:1.5rem}
label{display:block;font-weight:600;margin-bottom:.3rem}
input{width:100%;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--muted);border-radius:.55rem;padding:.6rem .8rem;margin-bottom:1rem}
.button{width:100%}
.button.quiet{margin-top:.75rem}
.problem{background:var(--warn-ground);color:var(--warn);border-radius:.55rem;padding:.65rem .9rem;margin-top:1.25rem}
.accounts{margin-top:1.5rem;color:var(--muted);font-size:.9rem}
table{width:100%;border-collapse:collapse;margin-top:.5rem}
caption{text-align:left}
th,td{text-align:left;font-weight:400;padding:.3rem .5rem .3rem 0;border-top:1px solid var(--line);white-space:nowrap}
td:last-child{white-space:normal;padding-right:0}
th code,td code{color:var(--ink)}
`);

/** `Content-Security-Policy` of every page here. */
export const PROVIDER_POLICY = PAGE.policy;

const KEY = Html.literal(
  '<svg class="key" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path fill="none" stroke="currentColor" stroke-width="2" ' +
    'stroke-linecap="round" stroke-linejoin="round" d="M14.5 9.5a4.5 4.5 0 1 0-3.2 4.3L13 15.5h2v2h2v2h3v-3.2l-6-6a4.5 4.5 0 0 0 .5-.8z"/>' +
    '<circle cx="8.8" cy="8.8" r="1.1" fill="currentColor"/></svg>',
);

const AUTOFOCUS = html` autofocus`;

function panel(title: string, content: Html, below?: Html): string {
  return PAGE.render({
    title: `${title} · Demo provider`,
    body: html`<main>
<div class="panel">
<p class="brand">${KEY}<span>Demo identity provider</span></p>
<h1>${title}</h1>
${content}
</div>
${below}
</main>`,
  });
}

export interface SignInPage {
  /** Where the form goes. */
  readonly action: string;
  readonly client: string;
  /** What was typed before, after a wrong password. */
  readonly username: string;
  readonly problem: string | undefined;
  readonly users: readonly DemoUser[];
}

export function renderSignIn(page: SignInPage): string {
  const problem =
    page.problem === undefined ? undefined : html`<p class="problem" id="problem" role="alert">${page.problem}</p>`;
  const rows = page.users.map(
    (user) =>
      html`<tr><th scope="row"><code>${user.username}</code></th><td><code>${user.password}</code></td><td>${user.note}</td></tr>
`,
  );
  return panel(
    'Sign in',
    html`<p class="lead">to go on to ${page.client}</p>
${problem}
<form method="post" action="${page.action}">
<label for="username">User name</label>
<input id="username" name="username" value="${page.username}" autocomplete="username" autocapitalize="none" spellcheck="false" required${page.problem === undefined ? AUTOFOCUS : undefined}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${page.problem === undefined ? undefined : AUTOFOCUS}>
<button class="button" type="submit">Sign in</button>
</form>`,
    html`<div class="accounts"><table><caption>The accounts of this demo</caption>
<thead class="visually-hidden" hidden><tr><th scope="col">Name</th><th scope="col">Password</th><th scope="col">What for</th></tr></thead>
<tbody>${rows}</tbody></table></div>`,
  );
}

/** RP-Initiated Logout 1.0 section 2: the provider asks before it ends its own session. `form`: the provider's own markup. */
export function renderSignOut(form: string): string {
  return panel(
    'Sign out here too?',
    html`<p class="lead">You have left the site. The provider still knows you: without this, the next login needs no password.</p>
${Html.literal(form)}
<button class="button" type="submit" form="op.logoutForm" value="yes" name="logout" autofocus>Sign out</button>
<button class="button quiet" type="submit" form="op.logoutForm">Stay signed in</button>`,
  );
}

export function renderSignedOut(): string {
  return panel(
    'You are signed out',
    html`<p class="lead">The provider has forgotten this session. You can close this page.</p>`,
  );
}

/** `code` and `description`: as RFC 6749 section 4.1.2.1 names them. */
export function renderProviderError(code: string, description: string): string {
  return panel(
    'The provider can’t go on',
    html`<p class="lead">${description}</p><p class="lead"><code>${code}</code></p>
<p class="lead">Go back to the site, and start again from there.</p>`,
  );
}
