import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';

/** RFC 9113 section 6. */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** SETTINGS_HEADER_TABLE_SIZE 0: what the gateway says can be read without its table. */
const NO_TABLE = Buffer.from([0, 1, 0, 0, 0, 0]);

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A frame as it stands on the wire, whatever it says. `length`: another one than the payload has. */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export type Fields = readonly (readonly [string, string])[];

/** HPACK literals without indexing and without Huffman coding (RFC 7541 section 6.2.2): any bytes can be said. */
export const hpack = (fields: Fields): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** RFC 7541 section 5.1, with a prefix of seven bits. */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

export const GET: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'app.example'],
];
export const POST: Fields = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'app.example'],
];

/** A client that writes frames by hand, and reads them. */
export class FrameClient {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<void>;
  ended = false;
  #buffer = Buffer.alloc(0);
  #wake: (() => void)[] = [];

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
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

  /** With preface and SETTINGS sent; those of the gateway are acknowledged before they are there, unless told otherwise. */
  static async connect(
    port: number,
    settings: Buffer = Buffer.alloc(0),
    { servername = 'app.example', acknowledges = true } = {},
  ): Promise<FrameClient> {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      servername,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    const client = new FrameClient(socket);
    client.send(PREFACE, frame(FRAME.SETTINGS, 0, 0, Buffer.concat([NO_TABLE, settings])));
    if (acknowledges) client.send(frame(FRAME.SETTINGS, 1, 0));
    return client;
  }

  send(...bytes: readonly Buffer[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(bytes));
  }

  headers(stream: number, fields: Fields, flags = END_STREAM | END_HEADERS): void {
    this.send(frame(FRAME.HEADERS, flags, stream, hpack(fields)));
  }

  data(stream: number, payload: string, flags = 0): void {
    this.send(frame(FRAME.DATA, flags, stream, Buffer.from(payload, 'latin1')));
  }

  of(type: number, stream?: number): readonly Frame[] {
    return this.frames.filter((each) => each.type === type && (stream === undefined || each.stream === stream));
  }

  /** Error code of the stream's RST_STREAM; undefined: there is none. */
  resetCode(stream: number): number | undefined {
    return this.of(FRAME.RST_STREAM, stream)[0]?.payload.readUInt32BE(0);
  }

  /** Error code of the last GOAWAY. */
  get goawayCode(): number | undefined {
    return this.of(FRAME.GOAWAY).at(-1)?.payload.readUInt32BE(4);
  }

  /** Status of an answer. */
  status(stream: number): number | undefined {
    const block = this.of(FRAME.HEADERS, stream)[0]?.payload;
    return block === undefined ? undefined : statusOf(block);
  }

  /** Until it holds, or the connection is gone. */
  async until(holds: () => boolean, milliseconds = 10_000): Promise<boolean> {
    const end = performance.now() + milliseconds;
    while (!holds()) {
      if (this.ended || performance.now() > end) return holds();
      await Promise.race([
        new Promise<void>((resolve) => this.#wake.push(resolve)),
        new Promise((resolve) => setTimeout(resolve, 50)),
      ]);
    }
    return true;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= 9) {
      const length = this.#buffer.readUIntBE(0, 3);
      if (this.#buffer.length < 9 + length) break;
      this.frames.push({
        type: this.#buffer[3] ?? 0,
        flags: this.#buffer[4] ?? 0,
        stream: this.#buffer.readUInt32BE(5) & 0x7fffffff,
        payload: Buffer.from(this.#buffer.subarray(9, 9 + length)),
      });
      this.#buffer = this.#buffer.subarray(9 + length);
    }
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

const INDEXED = [200, 204, 206, 304, 400, 404, 500];

/** The first field of a block is `:status`: by index, or a literal, plain or Huffman-coded digits. */
function statusOf(whole: Buffer): number {
  // Before it, the size of the table may change.
  const block = whole.subarray(whole.findIndex((byte) => byte >= 0x40 || byte < 0x20));
  const first = block[0] ?? 0;
  if (first >= 0x88 && first <= 0x8e) return INDEXED[first - 0x88] ?? 0;
  const length = block[1] ?? 0;
  const value = block.subarray(2, 2 + (length & 0x7f));
  return Number(length >= 128 ? huffmanDigits(value) : value.toString('latin1'));
}

/** RFC 7541 appendix B, of digits: 0 to 2 have five bits, the others six. */
function huffmanDigits(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let digits = '';
  for (let at = 0; digits.length < 3; ) {
    const short = Number.parseInt(bits.slice(at, at + 5), 2);
    if (short <= 2) {
      digits += String(short);
      at += 5;
    } else {
      digits += String(Number.parseInt(bits.slice(at, at + 6), 2) - 0x19 + 3);
      at += 6;
    }
  }
  return digits;
}
