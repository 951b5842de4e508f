import { scrub } from '../scrub.ts';
import type { ProviderAnswer } from './http.ts';
import { type Failed, failed } from './id-token.ts';
import { parseJsonObject } from './json.ts';

export interface TokenResponse {
  readonly ok: true;
  readonly accessToken: string;
  /** Seconds, whole; undefined where the provider didn't say. */
  readonly expiresIn: number | undefined;
  readonly idToken: string;
}

/** Larger tokens fit no header of any server. */
const MAX_TOKEN = 64 * 1024;
/** Ten years; a longer life is as good as this one and doesn't overflow (A128). */
const MAX_EXPIRES_IN = 10 * 365 * 24 * 3600;

/**
 * An answer of the token endpoint (RFC 6749 sections 5.1 and 5.2, OpenID Connect Core 3.1.3.3). Pure. `sent` are the
 * values of the request that an error description must not carry into the log.
 */
export function readTokenResponse(answer: ProviderAnswer, sent: readonly string[]): TokenResponse | Failed {
  if (answer.status !== 200) return readError(answer, sent);
  const body = readJson(answer);
  if (body === undefined) return bad(`answered 200 with ${mediaType(answer)} that is not a JSON object`);

  const { access_token: accessToken, token_type: type, id_token: idToken } = body;
  if (typeof accessToken !== 'string' || accessToken === '' || accessToken.length > MAX_TOKEN) {
    return bad('answered without an access_token');
  }
  // RFC 6750 section 2.1 is narrower still; what matters is that it can stand in a header.
  if (!/^[\x21-\x7e]+$/.test(accessToken)) return bad('answered with an access_token that no header can carry');
  if (typeof type !== 'string' || !/^bearer$/i.test(type)) return bad('answered with a token_type other than Bearer');
  const expiresIn = readExpiresIn(body['expires_in']);
  if (!expiresIn.ok) return bad('answered with an expires_in that is not a number of seconds');
  if (typeof idToken !== 'string' || idToken === '') {
    return failed('id_token_malformed', 'the token endpoint answered without an id_token: is openid among the scopes?');
  }
  return { ok: true, accessToken, expiresIn: expiresIn.seconds, idToken };
}

/** Numbers, and texts of digits, as some providers send; a fraction is cut (A128, A133). */
function readExpiresIn(
  value: unknown,
): { readonly ok: true; readonly seconds: number | undefined } | { readonly ok: false } {
  if (value === undefined || value === null) return { ok: true, seconds: undefined };
  const seconds = typeof value === 'string' && /^[0-9]{1,20}(\.[0-9]{1,20})?$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !(seconds >= 0)) return { ok: false };
  return { ok: true, seconds: Math.floor(Math.min(seconds, MAX_EXPIRES_IN)) };
}

function readError(answer: ProviderAnswer, sent: readonly string[]): Failed {
  const { status } = answer;
  const body = status >= 400 ? readJson(answer) : undefined;
  const code =
    typeof body?.['error'] === 'string' && /^[a-z][a-z_]{0,63}$/.test(body['error']) ? body['error'] : undefined;
  const said = code === undefined ? '' : `, ${code}${describe(body?.['error_description'], sent)}`;
  const detail = `the token endpoint answered ${status}${said}`;

  if (status >= 500 || status === 429) return failed('provider_unavailable', detail);
  if (status >= 300 && status < 400) return failed('bad_response', `${detail}: redirects are not followed`);
  switch (code) {
    case 'invalid_client':
    case 'unauthorized_client':
      return failed('client_rejected', `${detail}: check clientID, clientSecretRef and tokenEndpointAuthMethod`);
    case 'invalid_grant':
      return failed('code_rejected', detail);
    case 'temporarily_unavailable':
    case 'server_error':
      return failed('provider_unavailable', detail);
    default:
      return status === 401
        ? failed('client_rejected', `${detail}: check clientID, clientSecretRef and tokenEndpointAuthMethod`)
        : failed('bad_response', detail);
  }
}

/** Whether another secret is worth a try: the provider looked at the client's credentials and at nothing else (F36). */
export function rejectsClient(answer: ProviderAnswer): boolean {
  return (answer.status === 400 || answer.status === 401) && readJson(answer)?.['error'] === 'invalid_client';
}

/**
 * A provider's own words help whoever set it up (AADSTS…), but may repeat what was sent: nothing of that, and nothing
 * that looks like a token, is passed on (A180).
 */
function describe(description: unknown, sent: readonly string[]): string {
  if (typeof description !== 'string') return '';
  const text = scrub(description, sent)
    .replace(/[^\x20-\x7e…]/g, ' ')
    .replace(/[A-Za-z0-9+/=_.~%-]{24,}/g, '…')
    .slice(0, 200);
  return ` (${text.trim()})`;
}

function readJson(answer: ProviderAnswer): Readonly<Record<string, unknown>> | undefined {
  if (answer.contentType !== 'application/json') return undefined;
  return parseJsonObject(answer.body);
}

const mediaType = (answer: ProviderAnswer): string =>
  /^[\w.+-]{1,64}\/[\w.+-]{1,64}$/.test(answer.contentType) ? answer.contentType : 'a body';

const bad = (what: string): Failed => failed('bad_response', `the token endpoint ${what}`);
