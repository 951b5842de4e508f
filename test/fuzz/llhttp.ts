import { HTTPParser } from 'node:_http_common';
import { NOTHING, type Reading } from './reading.ts';

const MAX_HEAD_BYTES = 80 * 1024;
/** What llhttp is told of a body that isn't there. */
const SKIP_BODY = 1;

/** The parser of node:http, without leniencies. `pieces` are read one after the other; `eof`: the connection ends behind them. */
export function readWithLlhttp(pieces: readonly Buffer[], method: string, eof: boolean): Reading {
  const read = { ...NOTHING, headers: [] as readonly string[] };
  let fields: string[] = [];
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.RESPONSE, {}, MAX_HEAD_BYTES, 0);
  parser[HTTPParser.kOnHeaders] = (headers: readonly string[]): undefined => {
    fields.push(...headers);
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    headers: readonly string[] | undefined,
    _method: number,
    _url: string,
    status: number,
    _text: string,
    _upgrade: boolean,
    keepsAlive: boolean,
  ): number => {
    if (read.complete) return 0;
    if (status < 200) read.informational += 1;
    else Object.assign(read, { status, headers: headers ?? fields, keepsAlive });
    fields = [];
    return method === 'HEAD' ? SKIP_BODY : 0;
  };
  parser[HTTPParser.kOnBody] = (chunk: Buffer): undefined => {
    if (!read.complete) read.body += chunk.toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete] = (): undefined => {
    if (read.status >= 200) read.complete = true;
  };
  for (const piece of pieces) {
    if (read.fault !== undefined || piece.length === 0) continue;
    const result = parser.execute(piece);
    if (typeof result !== 'number') read.fault = result.message;
  }
  if (eof && read.fault === undefined) read.fault = parser.finish()?.message;
  return read;
}
