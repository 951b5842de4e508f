import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResponseHead } from '../../../src/proxy/upstream/response-head.ts';
import { ResponseParser } from '../../../src/proxy/upstream/response-parser.ts';

interface Read {
  readonly head: ResponseHead | undefined;
  readonly body: string;
  readonly ended: boolean;
  readonly fault: string | undefined;
  readonly reusable: boolean;
}

/** Feeds the bytes in the given pieces, as reads of a socket, and then an end of file where asked. */
function read(pieces: readonly string[], method = 'GET', eof = false): Read {
  const parser = new ResponseParser();
  let head: ResponseHead | undefined;
  let body = '';
  let ended = false;
  let fault: string | undefined;
  parser.expect(method, {
    head: (h) => {
      head = h;
    },
    body: (chunk) => {
      body += chunk.toString('latin1');
    },
    end: () => {
      ended = true;
    },
  });
  for (const piece of pieces) {
    fault ??= parser.push(Buffer.from(piece, 'latin1'));
    parser.flushEnd();
  }
  if (eof) fault ??= parser.eof();
  parser.flushEnd();
  return { head, body, ended, fault, reusable: parser.reusable };
}

const ok = 'HTTP/1.1 200 OK\r\n';

describe('a response that is well formed', () => {
  it.each([
    ['Content-Length', `${ok}Content-Length: 5\r\n\r\nhello`, 'GET', 'hello', true],
    [
      'chunked',
      `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nX-T: 1\r\n\r\n`,
      'GET',
      'hello',
      true,
    ],
    ['HEAD has no body whatever its length', `${ok}Content-Length: 5\r\n\r\n`, 'HEAD', '', true],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 'GET', '', true],
    ['304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n', 'GET', '', true],
    ['Connection: close', `${ok}Connection: close\r\nContent-Length: 1\r\n\r\nx`, 'GET', 'x', false],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', 'GET', 'x', false],
    [
      'after 103 Early Hints',
      `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok}Content-Length: 1\r\n\r\nx`,
      'GET',
      'x',
      true,
    ],
    ['no reason phrase', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', 'GET', '', true],
  ])('%s', (_name, bytes, method, body, reusable) => {
    expect(read([bytes], method)).toMatchObject({ body, ended: true, fault: undefined, reusable });
  });

  it('tells the length of a body that it does not carry', () => {
    expect(read([`${ok}Content-Length: 5\r\n\r\n`], 'HEAD').head).toMatchObject({
      length: 5,
      framing: { kind: 'None' },
    });
    expect(read([`${ok}Content-Length: 0\r\n\r\n`]).head).toMatchObject({ length: 0, framing: { kind: 'None' } });
    expect(read(['HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n']).head).toMatchObject({ length: undefined });
  });

  it('is read alike however its bytes are split', () => {
    const bytes = `HTTP/1.1 100 Continue\r\n\r\n${ok}X-A:  b \r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n`;
    const whole = read([bytes]);
    expect(whole).toMatchObject({ body: 'hello world', ended: true, reusable: true });
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, i) => bytes.slice(at[i], end));
        expect(read(pieces)).toEqual(whole);
      }),
    );
  });

  it('without framing it ends with the connection, which is not used again', () => {
    expect(read([`${ok}\r\n`, 'all ', 'of it'], 'GET', true)).toMatchObject({
      body: 'all of it',
      ended: true,
      reusable: false,
    });
  });
});

describe('A070 a response that lies about itself', () => {
  it.each([
    ['Content-Length and chunked', `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, 'bad_framing'],
    ['two lengths', `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, 'bad_framing'],
    ['two equal lengths', `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`, 'bad_framing'],
    ['a signed length', `${ok}Content-Length: +5\r\n\r\n`, 'bad_framing'],
    ['a list of lengths', `${ok}Content-Length: 5, 5\r\n\r\n`, 'bad_framing'],
    ['another coding', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'bad_framing'],
    ['chunked twice', `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`, 'bad_framing'],
    ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'bad_framing'],
    ['a bare LF', `${ok}X: y\nZ: 1\r\n\r\n`, 'bad_header'],
    ['folding', `${ok}X: y\r\n z\r\n\r\n`, 'bad_header'],
    ['a blank before the colon', `${ok}Content-Length : 5\r\n\r\n`, 'bad_header'],
    ['a control character', `${ok}X: a\0b\r\n\r\n`, 'bad_header'],
    ['another protocol', 'ICY 200 OK\r\n\r\n', 'bad_status_line'],
    ['another protocol that never sends an empty line', 'SSH-2.0-OpenSSH_9\r\n', 'bad_status_line'],
    ['a status of another class', 'HTTP/1.1 600 Odd\r\n\r\n', 'bad_status_line'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n', 'bad_status_line'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'bad_status_line'],
    ['a switch nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'unasked_switch'],
    ['a flood of 1xx', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(17), 'too_many_informational'],
    ['a chunk size with a sign', `${ok}Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n`, 'bad_chunk'],
    ['a chunk longer than its size', `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n`, 'bad_chunk'],
    ['a chunk line ended by LF', `${ok}Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n`, 'bad_chunk'],
    ['an endless chunk line', `${ok}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(2000)}`, 'bad_chunk'],
    ['an endless head', `${ok}X: ${'x'.repeat(70_000)}`, 'head_too_large'],
  ])('%s', (_name, bytes, fault) => {
    expect(read([bytes])).toMatchObject({ fault, ended: false, reusable: false });
  });

  it('one cut short is not complete', () => {
    expect(read([`${ok}Content-Length: 10\r\n\r\nhello`], 'GET', true)).toMatchObject({
      fault: 'truncated',
      ended: false,
    });
    expect(read([`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`], 'GET', true)).toMatchObject({
      fault: 'truncated',
    });
    expect(read([`${ok}Content-`], 'GET', true)).toMatchObject({ fault: 'truncated', ended: false });
  });
});

it('A068 bytes after a response, or before a request, end the use of the connection', () => {
  expect(read([`${ok}Content-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n`])).toMatchObject({
    body: 'x',
    ended: true,
    reusable: false,
  });
  expect(new ResponseParser().push(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toBe('bytes_before_request');
});

it('never throws and never reads past what it was given, whatever the bytes', () => {
  const bytes = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 200 }),
    fc
      .array(
        fc.constantFrom(
          'HTTP/1.1 ',
          '200 OK',
          '\r\n',
          '\n',
          'Content-Length: ',
          '3',
          'Transfer-Encoding: chunked',
          ':',
          'a',
          '0',
          '\0',
        ),
      )
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(bytes, fc.boolean(), (text, eof) => {
      const result = read([text], 'GET', eof);
      expect(result.body.length).toBeLessThanOrEqual(text.length);
      expect(result.ended && result.fault !== undefined).toBe(false);
    }),
    { numRuns: 3000 },
  );
});
