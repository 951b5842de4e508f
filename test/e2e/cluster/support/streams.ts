import { CookieJar } from '../../../support/cookie-jar.ts';
import { logIn } from './ask.ts';
import type { Stream } from './load.ts';
import { SHOP } from './site.ts';

/** What a script asks for: it is never sent to log in. */
const JSON_WANTED = { accept: 'application/json' };

/** A Public Route: 200, whatever happens. */
export const open: Stream = {
  name: 'the open Route',
  url: `${SHOP}/`,
  right: ({ status }) => status === 200,
};

/** The Protected Route without a session: closed, whatever happens; what matters is that it is never let through. */
export const closed: Stream = {
  name: 'the Protected Route without a session',
  url: `${SHOP}/orders`,
  headers: JSON_WANTED,
  right: ({ status, body }) => [401, 503].includes(status) && !body.includes('"pod"'),
};

/** A Route with a session: 200, and the workload sees whose it is. */
export async function session(path: string, jar = new CookieJar()): Promise<Stream> {
  const url = `${SHOP}${path}`;
  const { answer } = await logIn(url, jar);
  if (answer.status !== 200) throw new Error(`the login at ${url} ended with ${answer.status}`);
  return {
    name: `${path} with a session`,
    url,
    headers: { ...JSON_WANTED, cookie: jar.header(new URL(url)) },
    right: ({ status, body }) => status === 200 && body.includes('"user":"u-1815"'),
  };
}

/** A session that must be let in or be told 503, but never be asked to log in again. */
export const orUnavailable = (stream: Stream): Stream => ({
  ...stream,
  name: `${stream.name} (or 503)`,
  right: (answer) => stream.right(answer) || answer.status === 503,
});

/** The same of one Pod, whose traffic port is found at this port of 127.0.0.1. */
export function at(stream: Stream, port: number): Stream {
  const { host, hostname, pathname } = new URL(stream.url);
  const url = `https://${hostname}:${port}${pathname}`;
  return { ...stream, name: `${stream.name}, at one Pod`, url, headers: { ...stream.headers, host } };
}

/** What is answered has to be right; a connection that ends without an answer is told of, and is no mistake. */
export const orDropped = (stream: Stream, dropped: () => void): Stream => ({
  ...stream,
  name: `${stream.name} (or no answer)`,
  dropped,
});
