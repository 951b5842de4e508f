import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { atEndOfTurn } from './end-of-turn.ts';

/** Up to this size a body is put into one string with its head: cheaper than a write of two pieces. */
const SMALL = 8192;

export interface ResponseHead {
  readonly status: number;
  /** Names and values in turn, checked: visible latin1. Framing and `Connection: close` are among them. */
  readonly lines: readonly string[];
  /** The length is in the head, or the status has no body; otherwise an older client learns the end from the connection's. */
  readonly framed: boolean;
  readonly chunked: boolean;
  /** The last answer of its connection. */
  readonly last: boolean;
}

/**
 * Writes an answer of a node:http server onto its socket, past ServerResponse: that checks and scans once more what was checked,
 * and `end` forces its bytes out at once, so that the client is woken for each answer by itself. Here answers of one turn
 * leave at its end, together. The server goes on to the next request of the connection, or forgets it, at the response's
 * event `finish`, as it does for its own.
 */
export class ResponseWriter {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #keepAlive: string;
  readonly #leave: (() => void) | undefined;
  /** Made, and not written yet. */
  #head = '';
  #chunked = false;
  #last = false;
  #ended = false;
  /** What is written is held back until the end of the turn. */
  #gathers = false;
  /** From here on there can be no other answer. */
  begun = false;
  /** All of it is with the system. */
  sent = false;

  /**
   * `keepAlive`: what a connection that goes on is told, whole lines. `leave`: ends the connection after its last answer;
   * default: closes it once all is sent.
   */
  constructor(response: ServerResponse, socket: Socket, keepAlive: string, leave?: () => void) {
    this.#leave = leave;
    this.#response = response;
    this.#socket = socket;
    this.#keepAlive = keepAlive;
  }

  /** Whether the connection goes on after it. */
  begin({ status, lines, framed, chunked, last }: ResponseHead): boolean {
    this.begun = true;
    this.#chunked = chunked;
    // RFC 9112 section 9.3: a client of HTTP/1.0 keeps the connection only where it asked for that and sees where the body ends.
    const keeps = !last && this.#response.shouldKeepAlive && (framed || chunked);
    this.#last = !keeps;
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
    let dated = false;
    for (let i = 0; i < lines.length; i += 2) {
      const name = lines[i] ?? '';
      head += `${name}: ${lines[i + 1] ?? ''}\r\n`;
      dated ||= name.length === 4 && name.toLowerCase() === 'date';
    }
    if (!dated) head += `Date: ${httpDate()}\r\n`;
    if (keeps) head += this.#keepAlive;
    else if (!last) head += 'Connection: close\r\n';
    this.#head = `${head}\r\n`;
    this.#gathers = true;
    this.#socket.cork();
    atEndOfTurn(() => this.#release());
    return keeps;
  }

  /** False: wait for the socket's `drain`. */
  write(chunk: Buffer): boolean {
    const socket = this.#socket;
    if (this.#chunked) {
      const size = `${chunk.length.toString(16)}\r\n`;
      if (chunk.length <= SMALL) return this.#writeText(`${size}${chunk.toString('latin1')}\r\n`);
      socket.cork();
      this.#writeText(size);
      socket.write(chunk);
      const more = socket.write('\r\n', 'latin1');
      socket.uncork();
      this.#release();
      return more;
    }
    if (chunk.length <= SMALL) return this.#writeText(chunk.toString('latin1'));
    this.#flushHead();
    const more = socket.write(chunk);
    this.#release();
    return more;
  }

  /** Whether nothing of it is needed any more, after it was written: it was copied, or the system has it. */
  holdsNothing(chunk: Buffer): boolean {
    return chunk.length <= SMALL || this.#socket.writableLength === 0;
  }

  /** `last`: what is left of a body whose length was said. */
  end(last?: Buffer | string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (last instanceof Buffer && last.length > SMALL) {
      this.#flushHead();
      this.#socket.write(last, this.#finished);
      this.#release();
      return;
    }
    const body = last instanceof Buffer ? last.toString('latin1') : (last ?? '');
    const text = this.#head + body + (this.#chunked ? '0\r\n\r\n' : '');
    this.#head = '';
    // A page of ours is in UTF-8, and then its head, ASCII, may be as well.
    this.#socket.write(text, typeof last === 'string' ? 'utf8' : 'latin1', this.#finished);
  }

  #writeText(text: string): boolean {
    const all = this.#head + text;
    this.#head = '';
    return this.#socket.write(all, 'latin1');
  }

  /** Ends the gathering: much is better sent at once than kept until the end of the turn. */
  #release(): void {
    if (!this.#gathers) return;
    this.#gathers = false;
    this.#flushHead();
    this.#socket.uncork();
  }

  #flushHead(): void {
    if (this.#head === '') return;
    const head = this.#head;
    this.#head = '';
    this.#socket.write(head, 'latin1');
  }

  readonly #finished = (error?: Error | null): void => {
    if (error !== undefined && error !== null) return;
    this.sent = true;
    this.#response.emit('finish');
    if (!this.#last) return;
    if (this.#leave === undefined) this.#socket.destroySoon();
    else this.#leave();
  };
}

/** How long a connection is kept, so that a client doesn't send its next request just as it ends. `milliseconds`: ours. */
export const keepAliveLines = (milliseconds: number): string =>
  `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(milliseconds / 1000)}\r\n`;

let dateSecond = 0;
let dateText = '';

/** RFC 9110 section 5.6.7, made once a second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
