/** A JWT taken apart for looking at. Nothing is verified here: who relies on a token has to check its signature first. */
export interface DecodedToken {
  /** The request header that carried it. */
  readonly from: string;
  readonly kind: 'access token' | 'ID token' | 'token';
  /** The three parts as sent: header, payload, signature. */
  readonly encoded: readonly [string, string, string];
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

const JWT = /^(?:bearer +)?([\w-]{2,8192})\.([\w-]{2,16384})\.([\w-]{0,8192})$/i;

/** Every JWT (RFC 7519, JWS compact form) among the values of a request's header lines. */
export function findTokens(lines: Iterable<readonly [string, string]>): readonly DecodedToken[] {
  const tokens: DecodedToken[] = [];
  for (const [from, value] of lines) {
    const [, first = '', second = '', third = ''] = JWT.exec(value.trim()) ?? [];
    const header = decodePart(first);
    const payload = decodePart(second);
    if (header === undefined || payload === undefined) continue;
    tokens.push({ from, kind: kindOf(from, header, payload), encoded: [first, second, third], header, payload });
  }
  return tokens;
}

function decodePart(part: string): Readonly<Record<string, unknown>> | undefined {
  if (part === '') return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 9068 section 2.1 marks access tokens; only ID tokens have a nonce or at_hash (OpenID Connect Core section 2). */
function kindOf(
  from: string,
  header: Readonly<Record<string, unknown>>,
  payload: Readonly<Record<string, unknown>>,
): DecodedToken['kind'] {
  if (header['typ'] === 'at+jwt' || header['typ'] === 'application/at+jwt') return 'access token';
  if ('nonce' in payload || 'at_hash' in payload) return 'ID token';
  return from.toLowerCase() === 'authorization' ? 'access token' : 'token';
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
