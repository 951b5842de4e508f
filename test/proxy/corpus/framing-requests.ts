import { type Corpus, chunk, END, get, HOST, post, show } from './case.ts';

const CHUNKED = 'Transfer-Encoding: chunked\r\n';

export const CODINGS = [
  ...['xchunked', 'chunkedx', 'chunke', 'chunked,', ', chunked', ',chunked', 'chunked,chunked', 'chunked, chunked'],
  ...['identity', 'identity, chunked', 'chunked, identity', 'gzip', 'gzip, chunked', 'deflate,chunked', 'x, chunked'],
  ...['"chunked"', "'chunked'", 'chunked;q=1', 'chunked; q=0.5', 'chunked;', '[chunked]', '<chunked>', 'chunked\\'],
  ...['Chunked', 'cHunKed', 'CHUNKED', 'chun ked', 'chunked chunked', 'chunked\tx', '%63hunked', 'chunked%00', ''],
  ...['\x0bchunked', 'chunked\x0b', '\x0cchunked', '\0chunked', 'chunked\0', '\x7fchunked', '\xa0chunked'],
  ...['chunked\xa0', '\x85chunked', 'chunk\xe9d', 'trailers', 'none', '0', '*', 'ch\r\n unked', '\r\n chunked'],
  ...[
    '\r\n\tchunked',
    'chunked\r\n ',
    'chunked\r\n x',
    'identity\r\n, chunked',
    'chunked\r',
    '\rchunked',
    'x\nchunked',
  ],
];

export const LENGTHS = [
  ...[
    '+5',
    '-5',
    '-0',
    '+0',
    '0x5',
    '5,5',
    '5, 5',
    '5,6',
    '0,5',
    ',5',
    '5,',
    '5;',
    '5.0',
    '5e0',
    'five',
    '',
    '5 5',
    '"5"',
  ],
  ...[
    '(5)',
    '5\0',
    '\x005',
    '\x0b5',
    '5\x0b',
    '\x0c5',
    '5\xa0',
    '\xa05',
    '\xb25',
    '18446744073709551616',
    '5\r',
    '\r5',
  ],
  ...['18446744073709551621', '9007199254740993', '99999999999999999999999999', '0_5', 'NaN', 'Infinity', '0b101'],
  ...['0o5', '5L', '5u', '$5', '#5', '%35', '\r\n 5', '5\r\n ', '5\r\n 5', '5\n', '1\n5'],
];

/** `{}` stands for the name. */
export const SPELLINGS = [
  ...['{} : V', '{}\t: V', '{}\0: V', '{}\x0b: V', '{}\xa0: V', '\0{}: V', '{}\r\n : V', '{}\r: V', '{}\n: V'],
  ...[
    'X: y\n{}: V',
    'X: y\r{}: V',
    'X: y\r\r\n{}: V',
    'X: y\r\n\n{}: V',
    ':{}: V',
    ': V\r\n{}: V',
    '({}): V',
    '{};: V',
    '"{}": V',
  ],
];

/** A060 to A063: what says how long a body is, and says it in more than one way. */
export function addFramingRequests(corpus: Corpus): void {
  for (const coding of CODINGS) {
    const line = `Transfer-Encoding: ${coding}\r\n`;
    corpus.add(`A061 coding ${show(coding)}`, 'Refused', ({ path, smuggled }) => post(path, line, END + smuggled));
    corpus.add(`A060 coding ${show(coding)} and a length`, 'Refused', ({ path, smuggled }) =>
      post(path, `${line}Content-Length: ${END.length}\r\n`, END + smuggled),
    );
  }
  for (const length of LENGTHS) {
    corpus.add(`A060 length ${show(length)}`, 'Refused', ({ path, smuggled }) =>
      post(path, `Content-Length: ${length}\r\n`, `hello${smuggled}`),
    );
  }
  for (const spelling of SPELLINGS) {
    for (const [name, value] of [
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', '5'],
    ] as const) {
      const line = spelling.replaceAll('{}', name).replaceAll('V', value);
      corpus.add(`A060 line ${show(line)}`, 'Refused', ({ path, smuggled }) =>
        post(path, `${line}\r\n`, `${END}${smuggled}`),
      );
    }
  }
  addBoth(corpus);
  addSound(corpus);
  addOldVersions(corpus);
}

function addBoth(corpus: Corpus): void {
  for (const length of ['0', '4', '5', '6', '300', '05'])
    for (const coding of ['chunked', 'identity', 'Chunked'])
      for (const lines of [
        [`Content-Length: ${length}`, `Transfer-Encoding: ${coding}`],
        [`Transfer-Encoding: ${coding}`, `Content-Length: ${length}`],
        [`transfer-encoding: ${coding}`, 'X: y', `CONTENT-LENGTH: ${length}`],
      ])
        corpus.add(`A060 both: ${lines.join(', ')}`, 'Refused', ({ path, smuggled }) =>
          post(path, `${lines.join('\r\n')}\r\n`, END + smuggled),
        );
  for (const [first, second] of ['5 5', '5 6', '6 5', '0 5', '5 0', '5 05', '5 +5', '5 x', '0 0'].map((pair) =>
    pair.split(' '),
  ))
    for (const name of ['Content-Length', 'content-length'])
      corpus.add(`A060 two lengths ${first} ${second} (${name})`, 'Refused', ({ path, smuggled }) =>
        post(path, `Content-Length: ${first}\r\nX: y\r\n${name}: ${second}\r\n`, `hello${smuggled}`),
      );
  for (const second of ['chunked', 'identity', 'x', '']) {
    corpus.add(`A061 two codings, ${show(second)} last`, 'Refused', ({ path, smuggled }) =>
      post(path, `${CHUNKED}Transfer-Encoding: ${second}\r\n`, END + smuggled),
    );
    corpus.add(`A061 two codings, ${show(second)} first`, 'Refused', ({ path, smuggled }) =>
      post(path, `Transfer-Encoding: ${second}\r\n${CHUNKED}`, END + smuggled),
    );
  }
}

/** What is unusual and can be read in one way only passes, with exactly that body. */
function addSound(corpus: Corpus): void {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']) {
    corpus.add(
      `A064 A065 ${method} with a length holds a request`,
      'Passed',
      ({ path, smuggled }) =>
        `${method} ${path} HTTP/1.1\r\n${HOST}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
      ({ smuggled }) => smuggled,
    );
    corpus.add(
      `A064 A065 ${method} in chunks holds a request`,
      'Passed',
      ({ path, smuggled }) => `${method} ${path} HTTP/1.1\r\n${HOST}${CHUNKED}\r\n${chunk(smuggled)}${END}`,
      ({ smuggled }) => smuggled,
    );
  }
  for (const length of ['5', '05', '0000005', '5 ', '\t5', '5\t'])
    corpus.add(
      `A060 length ${show(length)} is 5`,
      'Passed',
      ({ path }) => post(path, `Content-Length: ${length}\r\n`, 'hello'),
      () => 'hello',
    );
  for (const coding of ['chunked', ' chunked ', '\tchunked'])
    corpus.add(
      `A061 coding ${show(coding)}`,
      'Passed',
      ({ path }) => post(path, `Transfer-Encoding:${coding}\r\n`, chunk('hello') + END),
      () => 'hello',
    );
  for (const name of [
    'Transfer_Encoding',
    'Transfer.Encoding',
    'Transfer~Encoding',
    'X-Transfer-Encoding',
    'Content_Length',
    'Content.Length',
    'TE',
  ])
    corpus.add(
      `A040 ${name} is no framing`,
      'Passed',
      ({ path, smuggled }) =>
        post(
          path,
          `Content-Length: ${smuggled.length}\r\n${name}: ${name.startsWith('C') ? '0' : 'chunked'}\r\n`,
          smuggled,
        ),
      ({ smuggled }) => smuggled,
    );
  for (const nominated of [
    'Content-Length',
    'Transfer-Encoding',
    'Host',
    'Content-Length, Host',
    'keep-alive, Content-Length',
    'X-Forwarded-For',
  ])
    corpus.add(
      `A042 Connection: ${nominated}`,
      'Passed',
      ({ path, smuggled }) =>
        post(path, `Connection: ${nominated}\r\nContent-Length: ${smuggled.length}\r\n`, smuggled),
      ({ smuggled }) => smuggled,
    );
  for (const length of ['4294967301', '2147483648', '300000000000000', '1000'])
    corpus.add(`A060 length ${length}, and not as much`, 'Cut', ({ path, smuggled }) =>
      post(path, `Content-Length: ${length}\r\n`, smuggled),
    );
  corpus.add('A060 no framing, and bytes', 'Last', ({ path }) => post(path, '', 'hello\r\n\r\n'));
  corpus.add('A073 protected first', 'Passed', ({ path }) => get(`/private${path}`) + get(path));
  corpus.add(
    'A073 protected first, with a request in its body',
    'Passed',
    ({ path, smuggled }) => post(`/private${path}`, `Content-Length: ${smuggled.length}\r\n`, smuggled) + get(path),
  );
}

function addOldVersions(corpus: Corpus): void {
  const old = (path: string, headers: string, body: string): string =>
    `POST ${path} HTTP/1.0\r\n${HOST}${headers}\r\n${body}`;
  for (const more of ['', 'Connection: keep-alive\r\n', 'Content-Length: 5\r\n', 'Connection: close\r\n'])
    corpus.add(`A063 chunks in HTTP/1.0 ${show(more)}`, 'Refused', ({ path, smuggled }) =>
      old(path, CHUNKED + more, END + smuggled),
    );
  corpus.add(
    'A063 a length in HTTP/1.0',
    'Last',
    ({ path }) => old(path, 'Content-Length: 5\r\n', 'hello'),
    () => 'hello',
  );
}
