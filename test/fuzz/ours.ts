import { ResponseParser } from '../../src/proxy/upstream/response-parser.ts';
import { NOTHING, type Reading } from './reading.ts';

/** Our parser, with the pieces as reads of a socket. `used`: bytes up to the end of the response, once it has ended. */
export function readWithOurs(pieces: readonly Buffer[], method: string, eof: boolean): Reading {
  const read = { ...NOTHING, headers: [] as readonly string[] };
  const parser = new ResponseParser();
  parser.expect(method, {
    head({ status, headers }) {
      Object.assign(read, { status, headers });
    },
    body(chunk) {
      read.body += chunk.toString('latin1');
    },
    end() {
      read.complete = true;
    },
  });
  for (const piece of pieces) {
    if (read.fault !== undefined) break;
    read.fault = parser.push(piece);
    if (read.fault === undefined) parser.flushEnd();
  }
  read.keepsAlive = parser.reusable;
  if (eof && read.fault === undefined) {
    read.fault = parser.eof();
    if (read.fault === undefined) parser.flushEnd();
  }
  return read;
}

/** How many bytes of these are the response, where it ends among them. */
export function lengthOf(bytes: Buffer, method: string): number | undefined {
  const parser = new ResponseParser();
  parser.expect(method, { head() {}, body() {}, end() {} });
  for (let at = 0; at < bytes.length; at++) {
    if (parser.push(bytes.subarray(at, at + 1)) !== undefined) return undefined;
    if (parser.complete) return at + 1;
  }
  return undefined;
}
