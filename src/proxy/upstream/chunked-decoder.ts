import type { ResponseFault } from './response-head.ts';

/** Longest chunk-size line and trailer section that is read; neither is passed on (RFC 9112 section 7.1). */
const MAX_LINE_BYTES = 1024;
const MAX_TRAILER_BYTES = 16 * 1024;
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const QUOTED = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';
const SIZE_LINE = new RegExp(`^([0-9a-fA-F]{1,12})(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)*$`);
const TRAILER_LINE = new RegExp(`^${TOKEN}:[\\t\\x20-\\x7e\\x80-\\xff]*$`);
/** What says how a message is framed comes too late in a trailer, and whoever obeys it there reads another message. */
const FRAMING_LINE = /^(content-length|transfer-encoding):/i;

type State = 'size' | 'data' | 'data-end' | 'trailer' | 'done';

/**
 * Chunked transfer coding, strictly: lines end with CRLF only, sizes are plain hexadecimal without the blanks that
 * RFC 9112 section 7.1.1 calls bad, extensions and trailers are bounded, checked and dropped. Bytes may be split anywhere.
 */
export class ChunkedDecoder {
  #state: State = 'size';
  #line = '';
  #remaining = 0;
  #trailerBytes = 0;

  reset(): void {
    this.#state = 'size';
    this.#line = '';
    this.#remaining = 0;
    this.#trailerBytes = 0;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** Gives data to the sink; returns what follows the body, undefined when nothing is left, or a fault. */
  push(bytes: Buffer, sink: { body(chunk: Buffer): void } | undefined): Buffer | ResponseFault | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'done') return bytes.subarray(at);
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#remaining);
        sink?.body(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
        this.#remaining -= end - at;
        at = end;
        if (this.#remaining === 0) this.#state = 'data-end';
        continue;
      }
      const newline = bytes.indexOf(10, at);
      const end = newline < 0 ? bytes.length : newline + 1;
      this.#line += bytes.toString('latin1', at, end);
      at = end;
      if (this.#line.length > MAX_LINE_BYTES) return 'bad_chunk';
      if (newline < 0) return undefined;
      if (!this.#line.endsWith('\r\n')) return 'bad_chunk';
      const line = this.#line.slice(0, -2);
      this.#line = '';
      if (!this.#endOfLine(line)) return 'bad_chunk';
    }
    return undefined;
  }

  #endOfLine(line: string): boolean {
    if (this.#state === 'data-end') {
      this.#state = 'size';
      return line === '';
    }
    if (this.#state === 'size') {
      const size = SIZE_LINE.exec(line);
      if (size === null) return false;
      this.#remaining = Number.parseInt(size[1] ?? '', 16);
      this.#state = this.#remaining === 0 ? 'trailer' : 'data';
      return true;
    }
    this.#trailerBytes += line.length + 2;
    if (line === '') this.#state = 'done';
    if (line === '') return true;
    return this.#trailerBytes <= MAX_TRAILER_BYTES && TRAILER_LINE.test(line) && !FRAMING_LINE.test(line);
  }
}
