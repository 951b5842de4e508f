import { createServer, type Server, type Socket } from 'node:net';

/** A request as an upstream read it off the wire, strictly and by itself. */
export interface SeenRequest {
  readonly line: string;
  readonly method: string;
  readonly target: string;
  /** As sent. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  /** Values of a header by lower-case name. */
  all(name: string): readonly string[];
  header(name: string): string | undefined;
}

export interface Upstream {
  readonly port: number;
  readonly seen: readonly SeenRequest[];
  /** Every byte of each connection, in order of connecting. */
  readonly bytes: readonly string[];
  /** Open connections now. */
  readonly open: number;
  /** Connections so far. */
  readonly connections: number;
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

export type Respond = (request: SeenRequest, socket: Socket, nth: number) => string | Buffer | undefined;

export const ok = (body = 'ok', headers = ''): string =>
  `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

/** An upstream that records what it is sent and answers bytes. What it can't read as a request is kept as `line`. */
export function startUpstream(respond: Respond = () => ok()): Promise<Upstream> {
  const seen: SeenRequest[] = [];
  const bytes: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const index = bytes.push('') - 1;
    let at = 0;
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      bytes[index] += chunk.toString('latin1');
      for (;;) {
        const parsed = readRequest(bytes[index] ?? '', at);
        if (parsed === undefined) return;
        at = parsed.end;
        seen.push(parsed.request);
        const answer = respond(parsed.request, socket, seen.length);
        if (answer !== undefined && socket.writable) {
          socket.write(typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer);
        }
      }
    });
  });
  return started(server, (port) => ({
    port,
    seen,
    bytes,
    get open() {
      return sockets.size;
    },
    get connections() {
      return bytes.length;
    },
    sockets,
    close: () => stop(server, sockets),
  }));
}

export interface RawUpstream {
  readonly port: number;
  readonly sockets: ReadonlySet<Socket>;
  readonly connections: number;
  close(): Promise<void>;
}

/** An upstream that does as it likes with each connection. */
export function startRawUpstream(connected: (socket: Socket, nth: number) => void): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    connected(socket, connections);
  });
  return started(server, (port) => ({
    port,
    sockets,
    get connections() {
      return connections;
    },
    close: () => stop(server, sockets),
  }));
}

function started<T>(server: Server, make: (port: number) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(make(address.port));
    });
  });
}

function stop(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function readRequest(text: string, at: number): { readonly request: SeenRequest; readonly end: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n', at);
  if (headEnd < 0) return undefined;
  const [line = '', ...lines] = text.slice(at, headEnd).split('\r\n');
  const headers = lines.map((header): [string, string] => {
    const colon = header.indexOf(':');
    return [header.slice(0, colon), header.slice(colon + 1).trim()];
  });
  const all = (name: string): readonly string[] =>
    headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  const [method = '', target = ''] = line.split(' ');
  const make = (body: string, end: number) => ({
    end,
    request: { line, method, target, headers, body, all, header: (name: string) => all(name)[0] },
  });
  const start = headEnd + 4;
  if (all('transfer-encoding').includes('chunked')) {
    let body = '';
    for (let position = start; ; ) {
      const lineEnd = text.indexOf('\r\n', position);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(text.slice(position, lineEnd), 16);
      if (text.length < lineEnd + 4 + size) return undefined;
      if (size === 0) return make(body, lineEnd + 4);
      body += text.slice(lineEnd + 2, lineEnd + 2 + size);
      position = lineEnd + 4 + size;
    }
  }
  const length = Number(all('content-length')[0] ?? '0');
  return text.length < start + length ? undefined : make(text.slice(start, start + length), start + length);
}
