import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Replica } from './replica.ts';

export interface Call {
  readonly host: string;
  readonly path: string;
  readonly cookie?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A connection of its own; default: one of those that are kept. */
  readonly alone?: boolean;
}

export interface Reply {
  readonly status: number;
  readonly setCookie: readonly string[];
  readonly body: string;
}

/** Longer than anything may be silent. */
const SILENT = 60_000;

/** A request that is sent by the caller. */
export function open(replica: Replica, call: Call): ClientRequest {
  const { host, path, cookie, method = 'GET', headers = {}, alone = false } = call;
  const asked = request({
    host: '127.0.0.1',
    port: replica.port,
    agent: alone ? false : replica.agent,
    method,
    path,
    headers: { host, ...(cookie === undefined ? {} : { cookie }), ...headers },
  });
  // Behind the head of the answer it is the answer that tells.
  asked.on('error', () => {});
  asked.setTimeout(SILENT, () => asked.destroy(new Error(`nothing from ${replica.name} for ${SILENT} ms`)));
  return asked;
}

/** The head of the answer. Rejects with where it was asked, for a bare ECONNRESET tells nobody anything. */
export async function answerTo(asked: ClientRequest, replica: Replica): Promise<IncomingMessage> {
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  } catch (error) {
    throw told(error, replica, asked.reusedSocket ? 'no answer on a kept connection' : 'no answer');
  }
}

export async function ask(replica: Replica, call: Call): Promise<Reply> {
  const asked = open(replica, call);
  asked.end();
  return read(await answerTo(asked, replica), replica);
}

export async function read(response: IncomingMessage, replica: Replica): Promise<Reply> {
  let body = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) body += String(chunk);
  } catch (error) {
    throw told(error, replica, `answer ${response.statusCode} broke off`);
  }
  return { status: response.statusCode ?? 0, setCookie: response.headers['set-cookie'] ?? [], body };
}

function told(error: unknown, replica: Replica, what: string): Error {
  const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return new Error(`${what}, ${replica.name}${replica.ending ? ' (ending)' : ''}: ${why}`);
}
