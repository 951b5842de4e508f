import { type Corpus, chunk, END, post, show } from './case.ts';

export const BAD_SIZES = [
  ...[
    'g',
    '0x5',
    '-5',
    '+5',
    ' 5',
    '\t5',
    '',
    ';',
    ';x',
    '5,',
    '5.0',
    '5h',
    '0b1',
    '5_0',
    '%35',
    '"5"',
    '5\0',
    '5\x0b',
    '\x0b5',
  ],
  ...['5\x0c', '\xa05', '5\xa0', '5\r', '5 5', '5\t5', '5 x', '5\n', '5\rx', 'x;5', '\r\n5', '\n5', '-0', '5\r\r'],
  ...[
    'fffffffffffffffff',
    '10000000000000005',
    '100000000000000000000000005',
    '5;\n',
    '5;a\n',
    '5;a=\r',
    '5;a\0b',
    '5;a\x7f',
    '5 ;',
  ],
];
export const BAD_ENDS = ['', 'X\r\n', '\n', '\r', 'X', '\r\n\r\n', '\r\r\n', '\n\r\n', '\0\r\n', ' \r\n'];
export const BAD_LASTS = [
  '0\n\n',
  '0\r\n\n',
  '0\n\r\n',
  '0\r\r\n\r\n',
  '0\0\r\n\r\n',
  '-0\r\n\r\n',
  '0 x\r\n\r\n',
  '0,\r\n\r\n',
  '0\r\nX\r\n\r\n',
];
export const BAD_TRAILERS = [
  ...[
    'X\r\n',
    'X : y\r\n',
    'X\t: y\r\n',
    ': y\r\n',
    'X: y\n',
    'X: y\r\n folded\r\n',
    ' X: y\r\n',
    'X\0: y\r\n',
    'X: a\0b\r\n',
  ],
  ...['X: a\rb\r\n', 'X: a\nb\r\n', '(X): y\r\n', 'X\x0b: y\r\n', 'X: \x7f\r\n'],
  ...['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: identity\r\n'],
];
const SOUND_TRAILERS = [
  'X: y\r\n',
  ...[
    'Host: evil.example\r\n',
    'Content_Length: 5\r\n',
    'X-Forwarded-User: root\r\n',
    'Upgrade: websocket\r\n',
    'Expect: x\r\n',
  ],
];

/** Chunked bodies that one reader ends where another goes on (T15). */
export function addChunkedRequests(corpus: Corpus): void {
  const chunked = (path: string, body: string): string => post(path, 'Transfer-Encoding: chunked\r\n', body);
  for (const size of BAD_SIZES)
    corpus.add(`T15 size ${show(size)}`, 'Cut', ({ path, smuggled }) =>
      chunked(path, `${size}\r\nhello\r\n${END}${smuggled}`),
    );
  for (const end of BAD_ENDS)
    corpus.add(`T15 data ends with ${show(end)}`, 'Cut', ({ path, smuggled }) =>
      chunked(path, `5\r\nhello${end}${chunk(smuggled)}${END}`),
    );
  for (const last of BAD_LASTS)
    corpus.add(`T15 last chunk ${show(last)}`, 'Cut', ({ path, smuggled }) =>
      chunked(path, `${chunk('hello')}${last}${smuggled}`),
    );
  for (const trailer of BAD_TRAILERS)
    corpus.add(`A045 trailer ${show(trailer)}`, 'Cut', ({ path, smuggled }) =>
      chunked(path, `${chunk('hello')}0\r\n${trailer}\r\n${smuggled}`),
    );
  for (const trailer of SOUND_TRAILERS)
    corpus.add(
      `A045 trailer ${show(trailer)} goes no further`,
      'Passed',
      ({ path }) => chunked(path, `${chunk('hello')}0\r\n${trailer}\r\n`),
      () => 'hello',
    );
  corpus.add('A045 a trailer that ends the connection', 'Last', ({ path, smuggled }) =>
    chunked(path, `${chunk('hello')}0\r\nConnection: close\r\n\r\n${smuggled}`),
  );
  for (const [size, what] of [
    ['5', 'plain'],
    ['05', 'with a zero'],
    ['0000000000000005', 'with many zeros'],
    ['5;x', 'with an extension'],
    ['5;x=y', 'with a value'],
    ['5;x="y;z"', 'with a quoted value'],
    ['5;x=y;z', 'with two'],
  ] as const)
    corpus.add(
      `T15 size ${what}`,
      'Passed',
      ({ path }) => chunked(path, `${size}\r\nhello\r\n${END}`),
      () => 'hello',
    );
  for (const size of ['A', 'a', '0A', '0a'])
    corpus.add(
      `T15 size ${size} is ten`,
      'Passed',
      ({ path }) => chunked(path, `${size}\r\nhellohello\r\n${END}`),
      () => 'hellohello',
    );
  for (const last of ['000\r\n\r\n', '0;x\r\n\r\n', '0;x=y\r\n\r\n'])
    corpus.add(
      `T15 last chunk ${show(last)}`,
      'Passed',
      ({ path }) => chunked(path, chunk('hello') + last),
      () => 'hello',
    );
  corpus.add(
    'T15 a chunk that looks like the end and a request',
    'Passed',
    ({ path, smuggled }) => chunked(path, chunk(END + smuggled) + END),
    ({ smuggled }) => END + smuggled,
  );
  for (const [what, body] of [
    ['ends in a size', '5'],
    ['ends behind a size', '5\r\n'],
    ['ends in data', '5000\r\nhello'],
    ['ends before the last chunk', '5\r\nhello\r\n'],
    ['has a size beyond all that comes', '7fffffffffffffff\r\nhello'],
    ['has a size of 32 bits', 'ffffffff\r\nhello'],
    ['has a size of 64 bits', 'ffffffffffffffff\r\nhello'],
    ['has extensions without end', `5;${'x'.repeat(40_000)}\r\nhello\r\n`],
    ['has trailers without end', `0\r\n${'Name: some-value\r\n'.repeat(20_000)}\r\n`],
  ] as const)
    corpus.add(`T15 a body that ${what}`, 'Cut', ({ path }) => chunked(path, body));
}
