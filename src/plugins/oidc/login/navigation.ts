import type { RequestView } from '../../../routing/decision.ts';

/**
 * Whether a person's browser asks for a page that it will show: only that can be sent to a provider. Where the browser
 * says what it does (Fetch Metadata), that alone decides, so a script that asks for HTML gets its 401 (A098).
 */
export function isNavigation(request: RequestView): boolean {
  if (request.method !== 'GET') return false;
  const mode = request.header('sec-fetch-mode');
  const dest = request.header('sec-fetch-dest');
  const declared = mode ?? dest ?? request.header('sec-fetch-site') ?? request.header('sec-fetch-user');
  if (declared === undefined) return acceptsHtml(request.header('accept'));
  return mode === 'navigate' && dest === 'document' && !isPrefetch(request);
}

/** `prefetch`, also with parameters or in a list: `prefetch;prerender`. */
const isPrefetch = (request: RequestView): boolean =>
  /(^|[\s,;])prefetch($|[\s,;])/i.test(request.header('sec-purpose') ?? '');

/** Whether `text/html` or `application/xhtml+xml` is named, with a weight above 0 (RFC 9110 section 12.5.1). */
function acceptsHtml(accept: string | undefined): boolean {
  return (accept ?? '').split(',', 64).some((range) => {
    const [type, ...parameters] = range.split(';', 8).map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter));
    return (type === 'text/html' || type === 'application/xhtml+xml') && !refused;
  });
}

/** Whether the page that sends this request is of this very origin (A100). */
export function isSameOrigin(request: RequestView, origin: string): boolean {
  const site = request.header('sec-fetch-site');
  return site === undefined ? request.header('origin') === origin : site === 'same-origin';
}
