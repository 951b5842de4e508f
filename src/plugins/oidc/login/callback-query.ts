/** Parameters of an authorization response (RFC 6749 section 4.1.2, RFC 9207 section 2) that mean something here. */
export interface CallbackQuery {
  readonly code: string | undefined;
  readonly state: string | undefined;
  readonly iss: string | undefined;
  readonly error: string | undefined;
}

/** No name twice (RFC 6749 section 3.1); every escape valid UTF-8. Undefined: not an authorization response. */
export function parseCallbackQuery(query: string): CallbackQuery | undefined {
  const found = new Map<string, string>();
  for (const pair of query.replace(/^\?/, '').split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    if (name === undefined || value === undefined || found.has(name)) return undefined;
    found.set(name, value);
  }
  const get = (name: string): string | undefined => found.get(name) || undefined;
  return { code: get('code'), state: get('state'), iss: found.get('iss'), error: get('error') };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
