/** Value of a request header by its lower-case name. */
type HeaderOf = (name: string) => string | undefined;

/**
 * Whether a refusal is told as JSON rather than as a page. A browser that loads a page gets a page; a script in one (by
 * Fetch Metadata, or `X-Requested-With`) and a client that doesn't ask for HTML by name, as curl, get JSON.
 * This decides about the form of an answer, never about access.
 */
export function wantsJson(header: HeaderOf): boolean {
  const mode = header('sec-fetch-mode');
  if (mode !== undefined) return mode !== 'navigate';
  if (header('x-requested-with')?.toLowerCase() === 'xmlhttprequest') return true;
  const accepted = weights(header('accept') ?? '');
  return accepted.html === 0 || accepted.json > accepted.html;
}

/** Highest weight that HTML and JSON are named with (RFC 9110 section 12.5.1); `*` names neither. */
function weights(accept: string): { readonly html: number; readonly json: number } {
  let html = 0;
  let json = 0;
  for (const range of accept.split(',', 64)) {
    const [type = '', ...parameters] = range.split(';', 8).map((part) => part.trim().toLowerCase());
    const weight = weightOf(parameters);
    if (type === 'text/html' || type === 'application/xhtml+xml' || type === 'text/*') html = Math.max(html, weight);
    else if (type === 'application/json' || /^application\/[^/+]+\+json$/.test(type)) json = Math.max(json, weight);
  }
  return { html, json };
}

function weightOf(parameters: readonly string[]): number {
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  if (q === undefined) return 1;
  const weight = Number(q.slice(2));
  return weight >= 0 && weight <= 1 ? weight : 0;
}
