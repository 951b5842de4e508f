import { pageKind } from '../src/proxy/pages/document.ts';
import { type Html, html } from '../src/proxy/pages/html.ts';
import { MARK } from '../src/proxy/pages/style.ts';
import { type ExplainedClaim, explainClaims } from './claims.ts';
import { type Echo, isForwardingHeader, isIdentityHeader } from './echo.ts';
import { SERVICE_STYLE } from './service-style.ts';
import type { DecodedToken } from './tokens.ts';

export interface ServicePageContext {
  readonly logoutPath: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const PAGE = pageKind(SERVICE_STYLE);

export const SERVICE_POLICY = PAGE.policy;

const PLACES = [
  { href: '/open', path: '/open', label: '/open', note: 'everybody' },
  { href: '/orders?item=17&sort=price', path: '/orders', label: '/orders', note: 'your turn' },
  { href: '/admin', path: '/admin', label: '/admin', note: 'admins' },
] as const;

/** Everything that reached the service, as one page. Every value of it is hostile until escaped, which `html` does. */
export function renderService(echo: Echo, context: ServicePageContext): string {
  return PAGE.render({
    title: `${echo.method} ${echo.path} · Demo service`,
    body: html`<a class="skip" href="#content">Skip to the content</a>
${renderTop(echo)}
<main id="content">
${renderRequest(echo)}
${renderPerson(echo, context)}
${renderTokens(echo.tokens, context.now)}
${renderHeaders(echo)}
${renderBody(echo)}
</main>
<footer><p>Nothing on this page leaves this machine: it has no script, loads nothing, and is drawn by the service itself.
Ask for it with <code>Accept: application/json</code> to get the same as data.</p></footer>`,
  });
}

function renderTop(echo: Echo): Html {
  const links = PLACES.map((place) => {
    const here = echo.path === place.path || echo.path.startsWith(`${place.path}/`);
    return here
      ? html`<a href="${place.href}" aria-current="page">${place.label} <small>${place.note}</small></a>`
      : html`<a href="${place.href}">${place.label} <small>${place.note}</small></a>`;
  });
  return html`<header class="top"><p class="name">${MARK}<span>Demo service</span></p>
<nav aria-label="Routes of the demo">${links}</nav></header>`;
}

function renderRequest(echo: Echo): Html {
  const query = echo.query.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return html`<section class="request">
<p class="eyebrow">This request reached the service</p>
<h1><span class="method">${echo.method}</span> <span class="url">${echo.url}</span></h1>
${query.length === 0 ? undefined : html`<dl class="query">${query}</dl>`}
</section>`;
}

function renderPerson(echo: Echo, context: ServicePageContext): Html {
  const { user, name, email, groups } = echo.identity;
  const known = user ?? name ?? email;
  if (known === undefined) {
    return html`<section class="card person" aria-labelledby="who">
<div><h2 id="who">Nobody told the service who you are</h2>
<p>The gateway passed this request on without an identity. Its Route is <strong>Public</strong>, or no gateway is in front at all.</p></div>
</section>`;
  }
  const shown = name ?? known;
  return html`<section class="card person" aria-labelledby="who">
<span class="avatar" aria-hidden="true">${[...shown][0]?.toUpperCase()}</span>
<div><h2 id="who">You are ${shown}</h2>
<dl class="facts">
${fact('User', user)}
${fact('E-mail', email)}
${fact('Groups', groups)}
</dl></div>
<form method="post" action="${context.logoutPath}"><button class="button quiet" type="submit">Sign out</button></form>
</section>`;
}

const fact = (label: string, value: string | undefined): Html | undefined =>
  value === undefined || value === '' ? undefined : html`<div><dt>${label}</dt><dd class="mono">${value}</dd></div>`;

function renderTokens(tokens: readonly DecodedToken[], now: number): Html | undefined {
  return tokens.length === 0 ? undefined : html`${tokens.map((token, index) => renderToken(token, index, now))}`;
}

function renderToken(token: DecodedToken, index: number, now: number): Html {
  const [header, payload, signature] = token.encoded;
  return html`<section class="card token" aria-labelledby="token-${index}">
<h2 id="token-${index}">The ${token.kind} <small>in <code>${token.from}</code></small></h2>
<div class="sides">
<div class="encoded">
<h3>As sent</h3>
<p class="jwt mono"><span class="jwt-header">${header}</span>.<span class="jwt-payload">${payload}</span>.<span class="jwt-signature">${signature}</span></p>
</div>
<div>
<h3 class="jwt-header">Header</h3>
${renderClaims(explainClaims(token.header, now), 'Parameter')}
<h3 class="jwt-payload">Payload</h3>
${renderClaims(explainClaims(token.payload, now), 'Claim')}
<h3 class="jwt-signature">Signature</h3>
<p class="hint">Not checked on this page. A service that relies on the token checks it with the issuer’s keys, and then <code>iss</code>, <code>aud</code> and <code>exp</code>.</p>
</div>
</div>
</section>`;
}

function renderClaims(claims: readonly ExplainedClaim[], label: string): Html {
  const rows = claims.map(
    (claim) => html`<tr><th scope="row"><code>${claim.name}</code></th>
<td><span class="mono">${claim.value}</span>${claim.time === undefined ? undefined : html`<span class="time">${claim.time}</span>`}</td>
<td class="hint">${claim.meaning}</td></tr>
`,
  );
  return html`<table class="claims"><colgroup><col class="of-name"><col><col class="of-meaning"></colgroup><thead class="visually-hidden"><tr><th scope="col">${label}</th><th scope="col">Value</th><th scope="col">Meaning</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

function renderHeaders(echo: Echo): Html {
  const identity = echo.headers.filter(([name]) => isIdentityHeader(name));
  const forwarding = echo.headers.filter(([name]) => isForwardingHeader(name, echo.headers));
  const rest = echo.headers.filter(([name]) => !isIdentityHeader(name) && !isForwardingHeader(name, echo.headers));
  return html`<section class="card" aria-labelledby="headers">
<h2 id="headers">Every header that arrived</h2>
${headerGroup(
  'Who you are, as proven by the gateway',
  'The gateway removes these from what a browser sends, in every spelling, and writes them itself.',
  identity,
  'identity',
)}
${headerGroup('How the request came', 'Written by the gateway.', forwarding, 'forwarding')}
${headerGroup('From the browser', 'Passed on as they came.', rest, 'plain')}
</section>`;
}

function headerGroup(
  title: string,
  note: string,
  lines: readonly (readonly [string, string])[],
  style: 'identity' | 'forwarding' | 'plain',
): Html {
  const rows = lines.map(
    ([name, value]) => html`<tr><th scope="row"><code>${name}</code></th><td class="mono">${value}</td></tr>
`,
  );
  return html`<div class="group ${style}"><h3>${title}</h3>
${
  rows.length === 0
    ? html`<p class="hint">None.</p>`
    : html`<p class="hint">${note}</p><table class="headers"><tbody>${rows}</tbody></table>`
}</div>`;
}

function renderBody(echo: Echo): Html | undefined {
  if (echo.body.bytes === 0) return undefined;
  return html`<section class="card" aria-labelledby="body"><h2 id="body">The body <small>${echo.body.bytes} bytes</small></h2>
<pre>${echo.body.text}</pre></section>`;
}
