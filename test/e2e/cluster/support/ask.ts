import { once } from 'node:events';
import { get as getPlain, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { type Agent, request } from 'node:https';
import { connect } from 'node:tls';
import type { CookieJar } from '../../../support/cookie-jar.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeout?: number;
  /** Without one, each request has a connection of its own. */
  readonly agent?: Agent;
}

/** The CA of the scenario; set once at the start of a file. */
let authority = '';
export const trust = (ca: string): void => {
  authority = ca;
};

/** One request to 127.0.0.1 under the name in `url`, with its certificate verified. */
export async function ask(url: string | URL, question: Question = {}): Promise<Answer> {
  const to = new URL(url);
  const options = {
    host: '127.0.0.1',
    port: to.port,
    path: to.pathname + to.search,
    method: question.method ?? 'GET',
    headers: { host: to.host, ...question.headers },
    agent: question.agent ?? false,
    timeout: question.timeout ?? 15_000,
  };
  const asked =
    to.protocol === 'https:'
      ? request({ ...options, agent: question.agent ?? false, servername: to.hostname, ca: authority })
      : getPlain({ ...options, agent: false });
  asked.on('timeout', () => asked.destroy(new Error(`no answer in ${options.timeout} ms`)));
  asked.end(question.body);
  const [response]: readonly IncomingMessage[] = await once(asked, 'response');
  if (response === undefined) throw new Error('no response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

/** As a browser opens a page, without Fetch Metadata; no redirect is followed. */
export async function navigate(url: string | URL, jar?: CookieJar, headers: Readonly<Record<string, string>> = {}) {
  const to = new URL(url);
  const cookie = jar?.header(to) ?? '';
  const answer = await ask(to, {
    headers: { accept: 'text/html', ...(cookie === '' ? {} : { cookie }), ...headers },
  });
  jar?.store(to, answer.headers['set-cookie'] ?? []);
  return answer;
}

/** More than any login takes. */
const MAX_STEPS = 12;

/**
 * Opens `url` and follows every redirect with the cookies of `jar`; at the provider `user` signs in without a page. Gives the last
 * answer, and the addresses on the way. `stopAt`: an address that begins with it is not visited any more.
 */
export async function logIn(
  url: string,
  jar: CookieJar,
  { user = 'ada', stopAt }: { readonly user?: string; readonly stopAt?: string } = {},
): Promise<{ readonly answer: Answer; readonly at: URL; readonly way: readonly string[] }> {
  const way: string[] = [];
  let at = new URL(url);
  for (let step = 0; step < MAX_STEPS; step++) {
    way.push(at.href);
    const answer = await navigate(at, jar, { 'x-test-sign-in': user });
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status >= 400 || location === undefined) return { answer, at, way };
    at = new URL(location, at);
    if (stopAt !== undefined && at.href.startsWith(stopAt)) return { answer, at, way };
  }
  throw new Error(`a login with too many redirects: ${way.join(' ')}`);
}

/** Fingerprint of the certificate that a new connection is shown; verified as `ask` does it. */
export async function certificateOf(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: '127.0.0.1', port: Number(port), servername: hostname, ca: authority });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
