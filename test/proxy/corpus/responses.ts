import { chunk, END, show } from './case.ts';
import { BAD_ENDS, BAD_LASTS, BAD_SIZES, BAD_TRAILERS } from './chunked-requests.ts';
import { CODINGS, LENGTHS, SPELLINGS } from './framing-requests.ts';
import { BAD_HEADERS, SEPARATORS } from './head-requests.ts';

/**
 * What a client gets of a response.
 * - `Passed`: it, whole, with this status and body.
 * - `Failed`: 502, and not a byte of it.
 * - `Broken`: 502, or its beginning and then a connection that breaks off.
 */
export type ResponseOutcome = 'Failed' | 'Broken' | { readonly status: number; readonly body: string };

export interface ResponseCase {
  readonly name: string;
  readonly outcome: ResponseOutcome;
  readonly bytes: string;
  readonly method: 'GET' | 'HEAD';
  /** Whether the upstream ends the connection behind it. */
  readonly ends: boolean;
}

/** What nobody is to get, behind a response: another one. */
export const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const LENGTH = 'Content-Length: 5\r\n';
const HELLO = { status: 200, body: 'hello' };

const BAD_STATUS_LINES = [
  ...[
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 X',
    'HTTP/1.1 600 X',
    'HTTP/1.1 999 X',
    'HTTP/1.1 -200 OK',
    'HTTP/1.1 +200 OK',
    'HTTP/1.1 2x0 OK',
  ],
  ...[
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1200 OK',
    'HTTP/1.1 200OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'HTTP/1.1',
    'HTTP/1.1 ',
  ],
  ...[
    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/2 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/1.10 200 OK',
    'HTTP/1 200 OK',
    'HTTP/11 200 OK',
    'http/1.1 200 OK',
    'Http/1.1 200 OK',
  ],
  ...[
    'HTTPS/1.1 200 OK',
    'ICY 200 OK',
    'RTSP/1.0 200 OK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\x01K',
    'HTTP/1.1 200 O\x7fK',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 O\nK',
    'HTTP/1.1 \xb200 OK',
  ],
  ...[
    '200 OK',
    'OK',
    '',
    'GET / HTTP/1.1',
    'SSH-2.0-OpenSSH_9.2',
    '<html>',
    '\x16\x03\x01\x00\x05',
    '\0',
    'HTTP /1.1 200 OK',
    'HTTP/ 1.1 200 OK',
    'HTTP/1,1 200 OK',
    'HTTP\\1.1 200 OK',
  ],
];

/** Responses that are malformed or ambiguous, and sound ones that look it (A068, A070). */
export function responseCorpus(): readonly ResponseCase[] {
  const cases: ResponseCase[] = [];
  const add = (name: string, outcome: ResponseOutcome, bytes: string, more: Partial<ResponseCase> = {}): void => {
    cases.push({ name: `A070 ${name}`, outcome, bytes, method: 'GET', ends: false, ...more });
  };
  for (const line of BAD_STATUS_LINES)
    add(`status line ${show(line)}`, 'Failed', `${line}\r\n${LENGTH}\r\nhello`, { ends: true });
  for (const header of BAD_HEADERS) add(`header ${show(header)}`, 'Failed', `${OK}${LENGTH}${header}\r\n\r\nhello`);
  for (const separator of SEPARATORS)
    add(`name with ${show(separator)}`, 'Failed', `${OK}${LENGTH}A${separator}B: y\r\n\r\nhello`);
  for (let code = 0; code < 32; code++)
    if (code !== 9)
      add(`value with byte ${code}`, 'Failed', `${OK}${LENGTH}X: a${String.fromCharCode(code)}b\r\n\r\nhello`, {
        ends: code === 10,
      });
  for (const spelling of SPELLINGS)
    for (const [name, value] of [
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', '5'],
    ] as const) {
      const line = spelling.replaceAll('{}', name).replaceAll('V', value);
      add(`line ${show(line)}`, 'Failed', `${OK}${line}\r\n\r\n${END}`);
    }
  addFraming(add);
  addChunks(add);
  addInformational(add);
  addEnds(add);
  return cases;
}

type Add = (name: string, outcome: ResponseOutcome, bytes: string, more?: Partial<ResponseCase>) => void;

function addFraming(add: Add): void {
  for (const coding of CODINGS) {
    const known = coding.toLowerCase() === 'chunked';
    add(
      `coding ${show(coding)}`,
      known ? HELLO : 'Failed',
      `${OK}Transfer-Encoding: ${coding}\r\n\r\n${chunk('hello')}${END}`,
    );
    add(
      `coding ${show(coding)} and a length`,
      'Failed',
      `${OK}${LENGTH}Transfer-Encoding: ${coding}\r\n\r\n${chunk('hello')}${END}`,
    );
  }
  for (const length of LENGTHS) {
    add(`length ${show(length)}`, 'Failed', `${OK}Content-Length: ${length}\r\n\r\nhello`);
    add(`length ${show(length)} to HEAD`, 'Failed', `${OK}Content-Length: ${length}\r\n\r\n`, { method: 'HEAD' });
  }
  for (const [first, second] of ['5 5', '5 6', '6 5', '0 5', '5 0', '5 05'].map((pair) => pair.split(' ')))
    add(
      `two lengths ${first} ${second}`,
      'Failed',
      `${OK}Content-Length: ${first}\r\ncontent-length: ${second}\r\n\r\nhello`,
    );
  add('two codings', 'Failed', `${OK}${CHUNKED}${CHUNKED}\r\n${chunk('hello')}${END}`);
  add('chunks and a length', 'Failed', `${OK}${CHUNKED}${LENGTH}\r\n${chunk('hello')}${END}`);
  add('a length and chunks to HEAD', 'Failed', `${OK}${LENGTH}${CHUNKED}\r\n`, { method: 'HEAD' });
  add('chunks in HTTP/1.0', 'Failed', `HTTP/1.0 200 OK\r\n${CHUNKED}\r\n${chunk('hello')}${END}`);
  for (const coding of ['chunked\t', '\tchunked'])
    add(`coding ${show(coding)}`, 'Failed', `${OK}Transfer-Encoding: ${coding}\r\n\r\n${chunk('hello')}${END}`);
  for (const length of ['05', '0000005', '5 ', '\t5'])
    add(`length ${show(length)} is 5`, HELLO, `${OK}Content-Length: ${length}\r\n\r\nhello`);
  for (const line of [
    'HTTP/1.1 200 ',
    'HTTP/1.1 200',
    'HTTP/1.1 200 \xe9t\xe9',
    'HTTP/1.1 200 OK  OK',
    'HTTP/1.0 200 OK',
  ])
    add(`status line ${show(line)}`, HELLO, `${line}\r\n${LENGTH}\r\nhello`);
  add('head and body of one byte each', { status: 200, body: 'x' }, `${OK}Content-Length: 1\r\n\r\nx`);
  add('a head that is too long', 'Failed', `${OK}${`X: ${'y'.repeat(1000)}\r\n`.repeat(70)}${LENGTH}\r\nhello`);
  add('a head without end', 'Failed', `${OK}${`X: ${'y'.repeat(1000)}\r\n`.repeat(70)}`);
}

function addChunks(add: Add): void {
  const chunked = `${OK}${CHUNKED}\r\n`;
  for (const size of BAD_SIZES)
    add(`size ${show(size)}`, 'Broken', `${chunked}${size}\r\nhello\r\n${END}`, { ends: true });
  for (const end of BAD_ENDS)
    add(`data ends with ${show(end)}`, 'Broken', `${chunked}5\r\nhello${end}${chunk('world')}${END}`);
  for (const last of BAD_LASTS)
    add(`last chunk ${show(last)}`, 'Broken', `${chunked}${chunk('hello')}${last}`, { ends: true });
  for (const trailer of BAD_TRAILERS)
    add(`trailer ${show(trailer)}`, 'Broken', `${chunked}${chunk('hello')}0\r\n${trailer}\r\n`);
  for (const size of ['05', '0000005', '5;x', '5;x=y', '5;x="y"'])
    add(`size ${show(size)} is 5`, HELLO, `${chunked}${size}\r\nhello\r\n${END}`);
  for (const cut of [
    '',
    '5',
    '5\r',
    '5\r\n',
    '5\r\nhel',
    '5\r\nhello',
    '5\r\nhello\r\n',
    '5\r\nhello\r\n0',
    '5\r\nhello\r\n0\r\n',
    '5\r\nhello\r\n0\r\nX: y\r\n',
  ])
    add(`chunks that end behind ${show(cut)}`, 'Broken', chunked + cut, { ends: true });
  add('trailers without end', 'Broken', `${chunked}${chunk('hello')}0\r\n${'X: y\r\n'.repeat(20_000)}\r\n`);
  add('extensions without end', 'Broken', `${chunked}5;${'x'.repeat(40_000)}\r\nhello\r\n${END}`);
}

function addInformational(add: Add): void {
  const answer = `${OK}${LENGTH}\r\nhello`;
  for (const count of [1, 2, 16])
    add(`${count} times 100`, HELLO, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(count) + answer);
  for (const status of [102, 103, 199])
    add(`${status} before it`, HELLO, `HTTP/1.1 ${status} X\r\nLink: </a>\r\n\r\n${answer}`);
  for (const count of [17, 1000, 100_000])
    add(`${count} times 100`, 'Failed', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(count) + answer);
  for (const line of ['Upgrade: websocket\r\nConnection: Upgrade\r\n', 'Upgrade: h2c\r\nConnection: Upgrade\r\n', ''])
    add(
      `101 that nobody asked for ${show(line)}`,
      'Failed',
      `HTTP/1.1 101 Switching Protocols\r\n${line}\r\n${answer}`,
    );
  add('100 with two framings', 'Failed', `HTTP/1.1 100 Continue\r\n${LENGTH}${CHUNKED}\r\n${answer}`);
  for (const framing of [CHUNKED, LENGTH, 'Content-Length: 500\r\n'])
    add(`103 with ${show(framing)}`, 'Failed', `HTTP/1.1 103 Early Hints\r\n${framing}\r\n${answer}`);
  add('100 with a length of 0', HELLO, `HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n${answer}`);
  add('102 that closes', 'Failed', `HTTP/1.1 102 X\r\nConnection: close\r\n\r\n${answer}`);
  add('100 in HTTP/1.0', 'Failed', `HTTP/1.0 100 Continue\r\n\r\n${answer}`);
  add('100 and a bad header', 'Failed', `HTTP/1.1 100 Continue\r\nX : y\r\n\r\n${answer}`);
  add('100 alone', 'Failed', 'HTTP/1.1 100 Continue\r\n\r\n', { ends: true });
}

function addEnds(add: Add): void {
  const end = { ends: true } as const;
  for (const cut of ['', 'H', 'HTTP/1.1 2', 'HTTP/1.1 200 OK', OK, `${OK}X: y\r\n`, `${OK}${LENGTH}\r`])
    add(`a head that ends behind ${show(cut)}`, 'Failed', cut, end);
  for (const body of ['', 'h', 'hell'])
    add(`a body of 5 that ends behind ${show(body)}`, 'Broken', `${OK}${LENGTH}\r\n${body}`, end);
  add('a body of a terabyte that ends', 'Broken', `${OK}Content-Length: 1000000000000\r\n\r\nhello`, end);
  add('a body until the end', HELLO, `${OK}\r\nhello`, end);
  add('nothing until the end', { status: 200, body: '' }, `${OK}\r\n`, end);
  for (const status of [204, 304]) {
    add(`${status} with a length`, { status, body: '' }, `HTTP/1.1 ${status} X\r\n${LENGTH}\r\n`);
    add(`${status} with a body`, { status, body: '' }, `HTTP/1.1 ${status} X\r\n${LENGTH}\r\nhello`);
    add(`${status} with chunks`, { status, body: '' }, `HTTP/1.1 ${status} X\r\n${CHUNKED}\r\n${chunk('hello')}${END}`);
  }
  add('HEAD with a length', { status: 200, body: '' }, `${OK}${LENGTH}\r\n`, { method: 'HEAD' });
  add('HEAD with a body', { status: 200, body: '' }, `${OK}${LENGTH}\r\nhello`, { method: 'HEAD' });
  add('HEAD with chunks', { status: 200, body: '' }, `${OK}${CHUNKED}\r\n${chunk('hello')}${END}`, { method: 'HEAD' });
  add('more than its length', HELLO, `${OK}${LENGTH}\r\nhello, world`);
  add('more behind its last chunk', HELLO, `${OK}${CHUNKED}\r\n${chunk('hello')}${END}more`);
  add('a length of 0, and more', { status: 200, body: '' }, `${OK}Content-Length: 0\r\n\r\nhello`);
}
