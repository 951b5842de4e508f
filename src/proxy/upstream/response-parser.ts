import type { Trailers } from '../body.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import { parseResponseHead, type ResponseFault, type ResponseHead } from './response-head.ts';
import { switchesTo } from './switch-head.ts';

/** Receives a response as it comes. A `chunk` is only valid during the call: who keeps it copies it. */
export interface ResponseSink {
  head(head: ResponseHead): void;
  /** Early hints (103), any number of times before `head`; other interim responses are nobody's business. */
  hint?(head: ResponseHead): void;
  body(chunk: Buffer): void;
  /** `trailers`: only where they may go on (HTTP/2). */
  end(trailers?: Trailers): void;
  /** The upstream has switched to the protocol that it was asked for; `early` follows the head, in that protocol. */
  switched?(head: ResponseHead, early: Buffer): void;
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const MAX_HEAD_BYTES = 64 * 1024;
const BEGINNING = Buffer.from('HTTP/1.');
const beginsAsHttp = (bytes: Buffer): boolean => {
  const length = Math.min(bytes.length, BEGINNING.length);
  return bytes.compare(BEGINNING, 0, length, 0, length) === 0;
};
/** 103 Early Hints and 100 come once or twice; an upstream that sends more is holding us up (A070). */
const MAX_INFORMATIONAL = 16;

type State = 'idle' | 'head' | 'length' | 'chunked' | 'until-close' | 'done' | 'failed';

/**
 * Reads the responses of one upstream connection, one at a time, from bytes split anywhere. `push` and `eof` say what is
 * wrong instead of throwing; after a fault the connection is of no more use.
 */
export class ResponseParser {
  #state: State = 'idle';
  #method = '';
  #upgrade: string | undefined;
  #sink: ResponseSink | undefined;
  /** Whose response has ended and who wasn't told yet. */
  #ended: ResponseSink | undefined;
  #held: Buffer | undefined;
  #remaining = 0;
  #informational = 0;
  #reusable = false;
  readonly #chunks = new ChunkedDecoder();

  /** Expects the response to a request with this method, which asked to switch to the protocol `upgrade`. */
  expect(method: string, sink: ResponseSink, upgrade?: string): void {
    this.#upgrade = upgrade;
    this.#state = 'head';
    this.#method = method;
    this.#sink = sink;
    this.#held = undefined;
    this.#informational = 0;
    this.#reusable = false;
  }

  /** The response is complete, nothing came after it, and the upstream keeps the connection open. */
  get reusable(): boolean {
    return this.#state === 'done' && this.#reusable;
  }

  get complete(): boolean {
    return this.#state === 'done';
  }

  push(chunk: Buffer): ResponseFault | undefined {
    let rest: Buffer | undefined = chunk;
    while (rest !== undefined && rest.length > 0) {
      const next: Buffer | ResponseFault | undefined = this.#step(rest);
      if (typeof next === 'string') {
        this.#state = 'failed';
        return next;
      }
      rest = next;
    }
    return undefined;
  }

  /** The upstream closed its side. */
  eof(): ResponseFault | undefined {
    if (this.#state === 'until-close') {
      this.#finish();
      return undefined;
    }
    if (this.#state === 'done' || this.#state === 'idle') return undefined;
    this.#state = 'failed';
    return 'truncated';
  }

  /** Consumes from the front; returns what is left, undefined when all was used, or a fault. */
  #step(bytes: Buffer): Buffer | ResponseFault | undefined {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes);
      case 'length':
        return this.#readLength(bytes);
      case 'chunked': {
        const rest = this.#chunks.push(bytes, this.#sink);
        if (this.#chunks.done) this.#finish();
        return rest;
      }
      case 'until-close':
        this.#sink?.body(bytes);
        return undefined;
      case 'done':
        // The response stands, but whatever follows it was not asked for: the connection is poisoned (A068).
        this.#reusable = false;
        return undefined;
      case 'idle':
        return 'bytes_before_request';
      case 'failed':
        return undefined;
    }
  }

  #readHead(bytes: Buffer): Buffer | ResponseFault | undefined {
    const all = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    const end = all.indexOf(END_OF_HEAD);
    if (end < 0 || end > MAX_HEAD_BYTES) {
      if (all.length > MAX_HEAD_BYTES) return 'head_too_large';
      // Another protocol may never send an empty line; waiting for one would end in a time-out instead of a fault.
      if (!beginsAsHttp(all)) return 'bad_status_line';
      this.#held = all === bytes ? Buffer.from(bytes) : all;
      return undefined;
    }
    this.#held = undefined;
    const head = parseResponseHead(all.toString('latin1', 0, end), this.#method);
    if (typeof head === 'string') return head;
    const rest = all.subarray(end + 4);
    if (head.status === 101) return this.#switch(head, all.toString('latin1', 0, 9) === 'HTTP/1.1 ', rest);
    if (head.status < 200) return this.#informationalHead(head, rest);
    this.#reusable = head.reusable;
    this.#sink?.head(head);
    switch (head.framing.kind) {
      case 'None':
        this.#finish();
        break;
      case 'Length':
        this.#remaining = head.framing.length;
        this.#state = 'length';
        break;
      case 'Chunked':
        this.#chunks.reset();
        this.#state = 'chunked';
        break;
      case 'UntilClose':
        this.#state = 'until-close';
        break;
    }
    return rest;
  }

  /** A 101 that nobody asked for would make the rest of the bytes nobody's (A080). */
  #switch(head: ResponseHead, http11: boolean, rest: Buffer): ResponseFault | undefined {
    if (this.#upgrade === undefined) return 'unasked_switch';
    if (!http11 || !switchesTo(head, this.#upgrade)) return 'bad_switch';
    const sink = this.#sink;
    this.#sink = undefined;
    this.#state = 'idle';
    sink?.switched?.(head, Buffer.from(rest));
    return undefined;
  }

  #informationalHead(head: ResponseHead, rest: Buffer): Buffer | ResponseFault {
    // What follows the end of a connection would be nobody's (and HTTP/1.0 has no such answers).
    if (!head.reusable) return 'bad_framing';
    this.#informational += 1;
    if (this.#informational > MAX_INFORMATIONAL) return 'too_many_informational';
    if (head.status === 103) this.#sink?.hint?.(head);
    return rest;
  }

  #readLength(bytes: Buffer): Buffer | undefined {
    if (bytes.length < this.#remaining) {
      this.#remaining -= bytes.length;
      this.#sink?.body(bytes);
      return undefined;
    }
    const last = bytes.length === this.#remaining ? bytes : bytes.subarray(0, this.#remaining);
    const rest = bytes.length === this.#remaining ? undefined : bytes.subarray(this.#remaining);
    this.#remaining = 0;
    this.#sink?.body(last);
    this.#finish();
    return rest;
  }

  #finish(): void {
    this.#state = 'done';
    this.#ended = this.#sink;
    this.#sink = undefined;
  }

  /** Tells the sink of the end, once, after all bytes of a read were looked at: `reusable` is final for that read. */
  flushEnd(): void {
    const sink = this.#ended;
    this.#ended = undefined;
    sink?.end();
  }
}
