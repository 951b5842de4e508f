import type { IncomingMessage } from 'node:http';
import { identityHeaders } from '../src/resources/identity-headers.ts';
import { type DecodedToken, findTokens } from './tokens.ts';

/** What reached the service, and what it would believe about the person behind it. Also its JSON answer. */
export interface Echo {
  readonly method: string;
  /** Request-target as received. */
  readonly url: string;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly httpVersion: string;
  /** Every header line, in order, as received. */
  readonly headers: readonly (readonly [string, string])[];
  readonly identity: Identity;
  readonly tokens: readonly DecodedToken[];
  readonly body: { readonly bytes: number; readonly text: string };
}

interface Identity {
  readonly user: string | undefined;
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly groups: string | undefined;
}

const IDENTITY = identityHeaders([]);
const BODY_SHOWN = 64 * 1024;

/** Headers that a service may believe because a gateway writes them, and nobody else can: identity, and the token. */
export const isIdentityHeader = (name: string): boolean => IDENTITY.has(name) || name.toLowerCase() === 'authorization';

/** Headers in which a gateway says how the request came to it. `Host` is one where it says apart what the browser's was. */
export const isForwardingHeader = (name: string, all: Echo['headers']): boolean =>
  /^(x-forwarded-(for|host|proto|port)|x-request-id|x-real-ip|forwarded|via)$/i.test(name) ||
  (name.toLowerCase() === 'host' && all.some(([other]) => other.toLowerCase() === 'x-forwarded-host'));

/** Reads the request to its end; keeps a bounded part of the body. */
export async function echo(request: IncomingMessage): Promise<Echo> {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const headers = pairs(request.rawHeaders);
  const value = (name: string): string | undefined => headers.find(([each]) => each.toLowerCase() === name)?.[1];
  return {
    method: request.method ?? '',
    url,
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? [] : [...new URLSearchParams(url.slice(mark + 1))],
    httpVersion: request.httpVersion,
    headers,
    identity: {
      user: value('x-forwarded-user'),
      name: value('x-forwarded-preferred-username'),
      email: value('x-forwarded-email'),
      groups: value('x-forwarded-groups'),
    },
    tokens: findTokens(headers),
    body: await readBody(request),
  };
}

function pairs(raw: readonly string[]): readonly (readonly [string, string])[] {
  const lines: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) lines.push([raw[i] ?? '', asUtf8(raw[i + 1] ?? '')]);
  return lines;
}

/** Node hands header bytes over as Latin-1; a name in a header is UTF-8 where anybody wrote it as such. */
function asUtf8(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

async function readBody(request: IncomingMessage): Promise<Echo['body']> {
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    if (bytes < BODY_SHOWN) kept.push(part.subarray(0, BODY_SHOWN - bytes));
    bytes += part.length;
  }
  return { bytes, text: Buffer.concat(kept).toString('utf8') };
}
