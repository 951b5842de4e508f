import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTls } from 'node:tls';

export interface H2Answer {
  /** 0: there was none. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly body: string;
  /** Code with which the stream ended. */
  readonly code: number;
  readonly informational: readonly number[];
}

export interface H2Ask {
  readonly method?: string;
  readonly path?: string;
  readonly authority?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** A client of node:http2 to the gateway; one connection. */
export class H2Client {
  readonly session: ClientHttp2Session;
  readonly closed: Promise<void>;
  goaway: { readonly code: number; readonly last: number } | undefined;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on('error', () => {});
    session.on('goaway', (code: number, last: number) => {
      this.goaway = { code, last };
    });
    this.closed = new Promise((resolve) => session.once('close', () => resolve()));
  }

  static async connect(port: number, servername = 'app.example'): Promise<H2Client> {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      servername,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    const session = connect(`https://${servername}`, { createConnection: () => socket });
    const client = new H2Client(session);
    await once(session, 'remoteSettings');
    return client;
  }

  open({ method = 'GET', path = '/', authority = 'app.example', headers = {}, body }: H2Ask = {}): ClientHttp2Stream {
    const stream = this.session.request(
      { ':method': method, ':path': path, ':authority': authority, ...headers },
      { endStream: body === undefined },
    );
    stream.on('error', () => {});
    if (body !== undefined) stream.end(body);
    return stream;
  }

  ask(ask: H2Ask = {}): Promise<H2Answer> {
    return answerOf(this.open(ask));
  }

  close(): void {
    this.session.destroy();
  }
}

export function answerOf(stream: ClientHttp2Stream): Promise<H2Answer> {
  let status = 0;
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders | undefined;
  let body = '';
  const informational: number[] = [];
  stream.on('headers', (fields: IncomingHttpHeaders) => informational.push(Number(fields[':status'])));
  stream.on('response', (fields: IncomingHttpHeaders) => {
    status = Number(fields[':status']);
    headers = fields;
  });
  stream.on('trailers', (fields: IncomingHttpHeaders) => {
    trailers = fields;
  });
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    body += chunk.toString('latin1');
  });
  return new Promise((resolve) => {
    stream.on('close', () => resolve({ status, headers, trailers, body, code: stream.rstCode, informational }));
  });
}
