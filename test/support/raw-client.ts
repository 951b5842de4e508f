import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** One answer as it came over the wire. Header names in lower case. */
export interface RawAnswer {
  readonly version: string;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  /** Whether the body was whole by its own framing (or, without any, ended with the connection). */
  readonly complete: boolean;
  header(name: string): string | undefined;
  all(name: string): readonly string[];
}

/** A client that sends bytes, whatever they are, and reads answers by itself: no HTTP library in between. */
export class RawClient {
  readonly socket: Socket;
  /** Everything received, latin1. */
  received = '';
  ended = false;
  /** Resolves when the connection is gone, by whatever way. */
  readonly closed: Promise<void>;
  #at = 0;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      this.#notify();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      const over = (): void => {
        this.ended = true;
        this.#notify();
      };
      socket.on('end', over);
      socket.on('close', () => {
        over();
        resolve();
      });
    });
  }

  /** `from`: address of this machine to come from. With `halfOpen` our side is closed by us only. */
  static connect(port: number, host = '127.0.0.1', from?: string, halfOpen = false): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const local = from === undefined ? {} : { localAddress: from };
      const socket = connect({ port, host, noDelay: true, allowHalfOpen: halfOpen, ...local }, () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
      socket.once('error', reject);
    });
  }

  /** Over TLS; rejects where the handshake fails. Certificates are looked at only where `options` say so. */
  static connectTls(port: number, options: ConnectionOptions = {}): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
      socket.once('error', reject);
    });
  }

  /** Resolves when the bytes were handed on, or the connection is gone. */
  send(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.destroyed) {
        resolve();
        return;
      }
      const done = (): void => resolve();
      this.socket.once('close', done);
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => {
        this.socket.off('close', done);
        resolve();
      });
    });
  }

  /** The next final answer (1xx are skipped); undefined where the connection ended without one. */
  async answer(method = 'GET'): Promise<RawAnswer | undefined> {
    for (;;) {
      const parsed = parseAnswer(this.received, this.#at, this.ended, method);
      if (parsed !== undefined) {
        this.#at = parsed.end;
        if (parsed.answer.status >= 200) return parsed.answer;
        continue;
      }
      if (this.ended) return undefined;
      await this.more();
    }
  }

  /** Resolves when there is more to look at. */
  more(): Promise<void> {
    if (this.ended) return Promise.resolve();
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** Bytes after the answers that were taken. */
  get rest(): string {
    return this.received.slice(this.#at);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

/** Sends bytes on a connection of their own and reads every answer until the connection ends. */
export async function askRaw(port: number, bytes: string | Buffer, method = 'GET'): Promise<readonly RawAnswer[]> {
  const client = await RawClient.connect(port);
  await client.send(bytes);
  const answers: RawAnswer[] = [];
  for (;;) {
    const answer = await client.answer(method);
    if (answer === undefined) break;
    answers.push(answer);
    if (answer.header('connection')?.toLowerCase() === 'close') break;
  }
  client.destroy();
  return answers;
}

/** One answer to bytes on a connection of their own. */
export async function askOnce(port: number, bytes: string | Buffer, method = 'GET'): Promise<RawAnswer> {
  const client = await RawClient.connect(port);
  await client.send(bytes);
  const answer = await client.answer(method);
  client.destroy();
  if (answer === undefined) throw new Error('the connection ended without an answer');
  return answer;
}

interface Parsed {
  readonly answer: RawAnswer;
  readonly end: number;
}

function parseAnswer(text: string, at: number, ended: boolean, method: string): Parsed | undefined {
  const headEnd = text.indexOf('\r\n\r\n', at);
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = text.slice(at, headEnd).split('\r\n');
  const match = /^HTTP\/(\d\.\d) (\d{3})/.exec(statusLine);
  if (match === null) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const all = (name: string): readonly string[] => headers.filter(([key]) => key === name).map(([, value]) => value);
  const status = Number(match[2]);
  const body = readBody(text, headEnd + 4, ended, {
    none: method === 'HEAD' || status < 200 || status === 204 || status === 304,
    chunked: all('transfer-encoding').includes('chunked'),
    length: all('content-length')[0],
  });
  if (body === undefined) return undefined;
  return {
    end: body.end,
    answer: {
      version: match[1] ?? '',
      status,
      headers,
      body: body.text,
      complete: body.complete,
      header: (name) => all(name)[0],
      all,
    },
  };
}

interface Body {
  readonly text: string;
  readonly end: number;
  readonly complete: boolean;
}

function readBody(
  text: string,
  start: number,
  ended: boolean,
  framing: { readonly none: boolean; readonly chunked: boolean; readonly length: string | undefined },
): Body | undefined {
  if (framing.none) return { text: '', end: start, complete: true };
  if (framing.chunked) return readChunks(text, start, ended);
  if (framing.length !== undefined) {
    const end = start + Number(framing.length);
    if (text.length >= end) return { text: text.slice(start, end), end, complete: true };
  } else if (ended) return { text: text.slice(start), end: text.length, complete: true };
  return ended ? { text: text.slice(start), end: text.length, complete: false } : undefined;
}

function readChunks(text: string, start: number, ended: boolean): Body | undefined {
  let out = '';
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) break;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) {
      const end = text.indexOf('\r\n', lineEnd + 2);
      if (end < 0) break;
      return { text: out, end: end + 2, complete: true };
    }
    if (text.length < lineEnd + 2 + size + 2) break;
    out += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
  return ended ? { text: out, end: text.length, complete: false } : undefined;
}
