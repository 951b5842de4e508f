import { type Corpus, get, HOST, post, show } from './case.ts';

/** `{}` stands for the path. */
const BAD_LINES = [
  ...['GET\t{} HTTP/1.1', 'GET {}\tHTTP/1.1', ' GET {} HTTP/1.1', '\tGET {} HTTP/1.1'],
  ...[
    'GET {} HTTP/1.1 ',
    'GET {} HTTP/1.1\t',
    'GET {} HTTP/1.1 x',
    'GET {}',
    'GET',
    '{} HTTP/1.1',
    'GET HTTP/1.1',
    'GET {} {} HTTP/1.1',
  ],
  ...[
    'GET {} HTTP/1.2',
    'GET {} HTTP/1.10',
    'GET {} HTTP/1.01',
    'GET {} HTTP/01.1',
    'GET {} HTTP/11',
    'GET {} HTTP/1',
    'GET {} HTTP/1.',
    'GET {} HTTP/.1',
  ],
  ...[
    'GET {} HTTP/2.0',
    'GET {} HTTP/2',
    'GET {} HTTP/3.0',
    'GET {} HTTP/0.9',
    'GET {} HTTP/9.9',
    'GET {} HTTP/1.1.1',
    'GET {} HTTP/-1.1',
    'GET {} HTTP/1,1',
  ],
  ...[
    'GET {} http/1.1',
    'GET {} Http/1.1',
    'GET {} HTTP /1.1',
    'GET {} HTTP/ 1.1',
    'GET {} HTTP/1 .1',
    'GET {} HTTP/1. 1',
    'GET {} HTTPS/1.1',
    'GET {} XTTP/1.1',
  ],
  ...[
    'GET {} ICE/1.1',
    'GET {} HTTP\\1.1',
    'GET {} HTTP/1.1\0',
    'GET {}\0 HTTP/1.1',
    'GET {}\x7f HTTP/1.1',
    'GET {}\x0b HTTP/1.1',
    'GET {}\x0c HTTP/1.1',
  ],
  ...[
    'GET {}\x01 HTTP/1.1',
    'GET {}\r HTTP/1.1',
    'GET {}\n HTTP/1.1',
    'GET \r\n{} HTTP/1.1',
    'GET {}\x80 HTTP/1.1',
    'GET {}\xff HTTP/1.1',
    'GET {}# HTTP/1.1',
    'GET {}#x HTTP/1.1',
  ],
  ...[
    'GET {}\\x HTTP/1.1',
    'GET {}%00 HTTP/1.1',
    'GET {}%zz HTTP/1.1',
    'GET {}% HTTP/1.1',
    'GET {}%2 HTTP/1.1',
    'GET q{} HTTP/1.1',
    'GET * HTTP/1.1',
    'GET ?{} HTTP/1.1',
  ],
  ...[
    'GET http:{} HTTP/1.1',
    'GET http://{} HTTP/1.1',
    'GET ftp://app.example{} HTTP/1.1',
    'GET http://other.example{} HTTP/1.1',
    'GET http://user@app.example{} HTTP/1.1',
  ],
  ...[
    'GET app.example{} HTTP/1.1',
    'GET app.example:80 HTTP/1.1',
    'CONNECT app.example:80 HTTP/1.1',
    'CONNECT {} HTTP/1.1',
    'TRACE {} HTTP/1.1',
    'TRACK {} HTTP/1.1',
    'PRI * HTTP/2.0',
  ],
  ...[
    'get {} HTTP/1.1',
    'Get {} HTTP/1.1',
    'GETX {} HTTP/1.1',
    'G ET {} HTTP/1.1',
    'G\0T {} HTTP/1.1',
    '\0GET {} HTTP/1.1',
    'GET\0 {} HTTP/1.1',
    'GET\x0b {} HTTP/1.1',
    'G\xc9T {} HTTP/1.1',
  ],
  ...[
    '"GET" {} HTTP/1.1',
    '{GET} {} HTTP/1.1',
    'GET/ {} HTTP/1.1',
    'GET: {} HTTP/1.1',
    '(GET) {} HTTP/1.1',
    'G\rET {} HTTP/1.1',
    '\xefGET {} HTTP/1.1',
    'FOO {} HTTP/1.1',
    '-GET {} HTTP/1.1',
  ],
];

const SOUND_LINES = [
  'GET {} HTTP/1.1',
  '\r\nGET {} HTTP/1.1',
  '\r\n\r\nGET {} HTTP/1.1',
  'GET http://app.example{} HTTP/1.1',
  'GET http://APP.example:80{} HTTP/1.1',
  'GET {}? HTTP/1.1',
  'GET {}?a=%20&b=c;d HTTP/1.1',
];

/** What node's parser forgives and does not tell: it decides as if the sound form had come, which is what goes on. */
const FORGIVEN_LINES = ['GET  {} HTTP/1.1', 'GET {}  HTTP/1.1', 'GET {} RTSP/1.1'];

/** Header lines that two readers read in two ways. */
export const BAD_HEADERS = [
  ...[
    'X : y',
    'X\t: y',
    ' X: y',
    '\tX: y',
    'X',
    'X y',
    ': y',
    ':',
    'X\0: y',
    'X: a\0b',
    'X: \x01',
    'X: a\x7fb',
    'X: a\rb',
    'X: a\nb',
    'X: a\r\r\nb: c',
  ],
  ...[
    'X: y\r\n folded',
    'X: y\r\n\tfolded',
    'X:\r\n y',
    'X: y\r\n ',
    'X: y\r\n \r\n z',
    'X: y\r\n  Transfer-Encoding: chunked',
    'X: y\r\n\tContent-Length: 5',
  ],
  ...[
    'X: y\nContent-Length: 5',
    'X: y\n',
    'X: y\n\n',
    'X: y\r',
    'X: y\r\r',
    'X\r\n: y',
    'X\n: y',
    'X:y\x0b',
    'X:\x0cy',
    'X\xa0: y',
    '\xefX: y',
    'X\x85: y',
  ],
];
export const SEPARATORS = ['(', ')', '<', '>', '@', ',', ';', '\\', '"', '/', '[', ']', '?', '=', '{', '}', ' '];

const BAD_HOSTS = [
  ...[
    '',
    ' ',
    'a@app.example',
    'app.example@a',
    'app.example/x',
    'app.example,other.example',
    'app example',
    'app.example#',
    'app.example?x',
  ],
  ...[
    'app.example\\',
    '[::1',
    '::1]',
    'app.example:80:80',
    'app.example:x',
    'app.example:-1',
    'app.example:65536',
    'app.example:80x',
    'app.example\0',
  ],
  ...[
    'http://app.example',
    '//app.example',
    'app.example..',
    '.app.example',
    'app..example',
    'app.example\x0b',
    '\x0bapp.example',
    'app.example\xa0',
  ],
  ...[
    'app.example\r\n x',
    '\r\n app.example',
    'app%2eexample',
    '*',
    'app_example\xff',
    '"app.example"',
    'app.example;',
    'app.example:+80',
    'app.example: 80',
  ],
];

/** Request lines, header lines and hosts (A015, A032, A033, A071, A074, T14). */
export function addHeadRequests(corpus: Corpus): void {
  for (const line of BAD_LINES)
    corpus.add(
      `A015 A071 line ${show(line)}`,
      'Refused',
      ({ path, smuggled }) => `${line.replaceAll('{}', path)}\r\n${HOST}\r\n${smuggled}`,
    );
  for (const line of [...SOUND_LINES, ...FORGIVEN_LINES])
    corpus.add(`A015 line ${show(line)}`, 'Passed', ({ path }) => `${line.replaceAll('{}', path)}\r\n${HOST}\r\n`);
  corpus.add('A071 a preface of HTTP/2', 'Refused', ({ smuggled }) => `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${smuggled}`);
  corpus.add(
    'T14 lines that end in LF alone',
    'Refused',
    ({ path, smuggled }) => `GET ${path} HTTP/1.1\nHost: app.example\n\n${smuggled}`,
  );
  corpus.add(
    'T14 a head that ends in LF alone',
    'Refused',
    ({ path, smuggled }) => `GET ${path} HTTP/1.1\r\n${HOST}\n${smuggled}`,
  );
  corpus.add(
    'T14 a head that ends in CR alone',
    'Refused',
    ({ path, smuggled }) => `GET ${path} HTTP/1.1\r\n${HOST}\r${smuggled}`,
  );
  corpus.add(
    'T14 lines that end in CR alone',
    'Refused',
    ({ path, smuggled }) => `GET ${path} HTTP/1.1\rHost: app.example\r\r${smuggled}`,
  );
  for (const header of BAD_HEADERS) {
    corpus.add(`T14 header ${show(header)}`, 'Refused', ({ path, smuggled }) => get(path, `${header}\r\n`) + smuggled);
    corpus.add(
      `T14 header ${show(header)} before Host`,
      'Refused',
      ({ path, smuggled }) => `GET ${path} HTTP/1.1\r\n${header}\r\n${HOST}\r\n${smuggled}`,
    );
  }
  for (const separator of SEPARATORS)
    corpus.add(
      `T14 name with ${show(separator)}`,
      'Refused',
      ({ path, smuggled }) => get(path, `A${separator}B: y\r\n`) + smuggled,
    );
  for (let code = 0; code < 32; code++)
    corpus.add(
      `T14 name with byte ${code}`,
      'Refused',
      ({ path, smuggled }) => get(path, `A${String.fromCharCode(code)}B: y\r\n`) + smuggled,
    );
  for (const code of [0x7f, 0x80, 0xa0, 0xe9, 0xff])
    corpus.add(
      `T14 name with byte ${code}`,
      'Refused',
      ({ path, smuggled }) => get(path, `A${String.fromCharCode(code)}B: y\r\n`) + smuggled,
    );
  addHosts(corpus);
  addSizes(corpus);
}

function addHosts(corpus: Corpus): void {
  for (const host of BAD_HOSTS)
    corpus.add(
      `A033 host ${show(host)}`,
      'Refused',
      ({ path, smuggled }) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n${smuggled}`,
    );
  for (const [first, second] of [
    ['app.example', 'app.example'],
    ['app.example', 'other.example'],
    ['other.example', 'app.example'],
    ['app.example', ''],
    ['', 'app.example'],
  ] as const)
    for (const name of ['Host', 'HOST', 'hOsT'])
      corpus.add(
        `A032 hosts ${show(first)} and ${show(second)} (${name})`,
        'Refused',
        ({ path, smuggled }) =>
          `GET ${path} HTTP/1.1\r\nHost: ${first}\r\nX: y\r\n${name}: ${second}\r\n\r\n${smuggled}`,
      );
  for (const line of [
    'Host : app.example',
    ' Host: app.example',
    'Host\0: app.example',
    'Host',
    'Hos t: app.example',
    'H\xf6st: app.example',
    'X: y',
  ])
    corpus.add(
      `A033 ${show(line)} for a host`,
      'Refused',
      ({ path, smuggled }) => `GET ${path} HTTP/1.1\r\n${line}\r\n\r\n${smuggled}`,
    );
  corpus.add('A033 no host', 'Refused', ({ path, smuggled }) => `GET ${path} HTTP/1.1\r\n\r\n${smuggled}`);
  corpus.add('A033 no host in HTTP/1.0', 'Refused', ({ path, smuggled }) => `GET ${path} HTTP/1.0\r\n\r\n${smuggled}`);
  corpus.add(
    'A032 another host in the target',
    'Refused',
    ({ path, smuggled }) => `GET http://other.example${path} HTTP/1.1\r\n${HOST}\r\n${smuggled}`,
  );
  for (const host of ['APP.EXAMPLE', 'app.example.', 'app.example:80', 'app.example:443', 'app.example:'])
    corpus.add(`A030 A031 host ${show(host)}`, 'Passed', ({ path }) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
}

function addSizes(corpus: Corpus): void {
  const many = (count: number, line = 'a: b\r\n'): string => line.repeat(count);
  corpus.add('A074 80 headers', 'Passed', ({ path }) => get(path, many(80)));
  for (const count of [129, 1000, 3000])
    corpus.add(`A074 ${count} headers`, 'Refused', ({ path, smuggled }) => get(path, many(count)) + smuggled);
  corpus.add('A074 the length behind 3000 headers', 'Refused', ({ path, smuggled }) =>
    post(path, `${many(3000)}Content-Length: 5\r\n`, `hello${smuggled}`),
  );
  for (const [what, headers] of [
    ['a long value', `X: ${'y'.repeat(70_000)}\r\n`],
    ['a long name', `${'X'.repeat(70_000)}: y\r\n`],
    ['many long lines', many(100, `X: ${'y'.repeat(1000)}\r\n`)],
  ] as const)
    corpus.add(`A017 ${what}`, 'Refused', ({ path, smuggled }) => get(path, headers) + smuggled);
  for (const length of [17_000, 80_000])
    corpus.add(
      `A017 a target of ${length}`,
      'Refused',
      ({ path, smuggled }) => get(`${path}?${'x'.repeat(length)}`) + smuggled,
    );
  for (const name of ['Authorization', 'Content-Type', 'Expect', 'Origin', 'Range'])
    corpus.add(
      `T14 two ${name}`,
      'Refused',
      ({ path, smuggled }) => get(path, `${name}: a\r\n${name}: b\r\n`) + smuggled,
    );
}
