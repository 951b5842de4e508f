import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Claims } from './claims.ts';
import type { Session } from './session.ts';
import { packToken, unpackToken } from './token-codec.ts';

/**
 * A session as bytes to be sealed: one byte (0 as it is, 1 deflated), then three fields, each behind four bytes of
 * length: JSON, access token, ID token. Claims and the tokens' own payloads repeat each other, which deflate finds.
 * A session is sealed only after the provider vouched for what is in it, so its length tells nothing that a stranger chose.
 */
const PLAIN = 0;
const DEFLATED = 1;
/** Far above what fits into cookies; bounds what inflating can yield. */
const MAX_BYTES = 256 * 1024;

export function encodeSession(session: Session): Buffer {
  const { subject, createdAt, sealedAt, tokensEndAt, kept, claims } = session;
  const head = JSON.stringify([subject, createdAt, sealedAt, tokensEndAt ?? null, kept, claims]);
  const fields = [Buffer.from(head), packToken(session.accessToken), packToken(session.idToken)];
  const body = Buffer.concat(fields.flatMap((field) => [uint32(field.length), field]));
  const deflated = deflateRawSync(body, { level: 9 });
  return deflated.length < body.length
    ? Buffer.concat([Buffer.from([DEFLATED]), deflated])
    : Buffer.concat([Buffer.from([PLAIN]), body]);
}

/** Undefined for what another version of this program may have sealed. Never throws. */
export function decodeSession(bytes: Buffer): Session | undefined {
  try {
    const rest = bytes.subarray(1);
    if (bytes[0] === PLAIN) return readFields(rest);
    return bytes[0] === DEFLATED ? readFields(inflateRawSync(rest, { maxOutputLength: MAX_BYTES })) : undefined;
  } catch {
    return undefined;
  }
}

function readFields(body: Buffer): Session | undefined {
  const fields: Buffer[] = [];
  for (let at = 0; at < body.length && fields.length < 3; ) {
    const end = at + 4 + body.readUInt32BE(at);
    if (end > body.length) return undefined;
    fields.push(body.subarray(at + 4, end));
    at = end;
  }
  const [head, access, id] = fields;
  if (head === undefined || access === undefined || id === undefined) return undefined;
  const content: unknown = JSON.parse(head.toString());
  if (!Array.isArray(content)) return undefined;
  const [subject, createdAt, sealedAt, tokensEndAt, kept, claims] = content as readonly unknown[];
  if (typeof subject !== 'string' || typeof createdAt !== 'number' || typeof sealedAt !== 'number') return undefined;
  if (typeof tokensEndAt !== 'number' && tokensEndAt !== null) return undefined;
  if (!isNames(kept) || !isClaims(claims)) return undefined;
  return {
    subject,
    createdAt,
    sealedAt,
    tokensEndAt: tokensEndAt ?? undefined,
    kept,
    claims,
    accessToken: unpackToken(access),
    idToken: unpackToken(id),
  };
}

const isNames = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string');
const isClaims = (value: unknown): value is Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
