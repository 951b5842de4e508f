/** What the registered claims and header parameters mean, in a sentence. RFC 7519, RFC 7515, RFC 9068, OpenID Connect Core. */
const MEANINGS: Readonly<Record<string, string>> = {
  iss: 'Issuer: who made this token.',
  sub: 'Subject: who it is about. Unique at this issuer and never given to anybody else, which no name or e-mail address is.',
  aud: 'Audience: who it is for. Anybody else has to refuse it.',
  exp: 'Expires: not valid from this moment on.',
  nbf: 'Not valid before this moment.',
  iat: 'Issued at this moment.',
  jti: 'Id of this one token.',
  azp: 'Authorized party: the client that it was issued to.',
  client_id: 'The client that asked for it.',
  scope: 'What the client may do with it.',
  nonce: 'Ties the ID token to the login that was started in this browser.',
  auth_time: 'When the person last signed in at the provider.',
  at_hash: 'Hash of the access token, which ties the two together.',
  c_hash: 'Hash of the authorization code.',
  s_hash: 'Hash of the state.',
  acr: 'How strongly the person was authenticated.',
  amr: 'How the person was authenticated.',
  sid: 'The session at the provider.',
  name: 'Full name, for showing.',
  given_name: 'Given name.',
  family_name: 'Family name.',
  preferred_username: 'Name that the person goes by. May change: not a key.',
  email: 'E-mail address. Proves something only where email_verified is true.',
  email_verified: 'Whether the provider knows that the address is this person’s.',
  groups: 'Groups that the person is in.',
  roles: 'Roles that the person has.',
  picture: 'Address of a picture.',
  locale: 'Language.',
  zoneinfo: 'Time zone.',
  updated_at: 'When the account was last changed.',
  cnf: 'Key that whoever uses the token has to prove (RFC 7800).',
  alg: 'Algorithm of the signature.',
  typ: 'Kind of token.',
  kid: 'Which of the issuer’s keys signed it.',
  cty: 'Kind of content.',
};

const TIMES: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat', 'auth_time', 'updated_at']);

export interface ExplainedClaim {
  readonly name: string;
  /** Text as it is, anything else as JSON. */
  readonly value: string;
  /** A NumericDate in words, seen from `now`. */
  readonly time: string | undefined;
  readonly meaning: string | undefined;
}

/** `now`: milliseconds since the epoch. */
export function explainClaims(claims: Readonly<Record<string, unknown>>, now: number): readonly ExplainedClaim[] {
  return Object.entries(claims).map(([name, value]) => ({
    name,
    value: typeof value === 'string' ? value : JSON.stringify(value),
    time: TIMES.has(name) && typeof value === 'number' ? describeTime(value, now) : undefined,
    meaning: Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined,
  }));
}

/** `2026-11-24 06:43:12 UTC, in 59 minutes`. `seconds` since the epoch (NumericDate); undefined where no calendar has it. */
export function describeTime(seconds: number, now: number): string | undefined {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC, ${relative(seconds - now / 1000)}`;
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

function relative(seconds: number): string {
  const length = Math.abs(seconds);
  if (length < 1) return 'now';
  const [unit, size] = UNITS.find(([, size]) => length >= 2 * size) ?? ['second', 1];
  const count = Math.round(length / size);
  const amount = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return seconds > 0 ? `in ${amount}` : `${amount} ago`;
}
