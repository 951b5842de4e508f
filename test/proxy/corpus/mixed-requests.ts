import { type Corpus, chunk, END, get, HOST, post, show } from './case.ts';

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const BAD_EXPECTS = [
  'y',
  '200-ok',
  '100-continue, 100-continue',
  '100-continue, y',
  'y 100-continue',
  '100-continue;q=1',
  '100 continue',
  '100-continue\r\n x',
  '"100-continue"',
  '',
  '100-continue\x0b',
  '\0',
];

/** Expect (A067), upgrades (A071, A080, T17), and what comes behind each other (A073). */
export function addMixedRequests(corpus: Corpus): void {
  for (const expect of BAD_EXPECTS) {
    corpus.add(`A067 Expect: ${show(expect)}`, 'Refused', ({ path, smuggled }) =>
      post(path, `Expect: ${expect}\r\nContent-Length: ${smuggled.length}\r\n`, smuggled),
    );
    corpus.add(
      `A067 Expect: ${show(expect)} and no body`,
      'Refused',
      ({ path, smuggled }) => get(path, `Expect: ${expect}\r\n`) + smuggled,
    );
  }
  for (const line of [
    'Expect : 100-continue',
    'Expect\0: 100-continue',
    ' Expect: 100-continue',
    'Expect: 100-continue\r\nExpect: 100-continue',
    'Expect: 100-continue\r\nExpect: y',
  ])
    corpus.add(`A067 ${show(line)}`, 'Refused', ({ path, smuggled }) =>
      post(path, `${line}\r\nContent-Length: 5\r\n`, `hello${smuggled}`),
    );
  for (const expect of ['100-continue', '100-Continue', '100-CONTINUE ']) {
    corpus.add(
      `A067 Expect: ${show(expect)}, the body unasked`,
      'Passed',
      ({ path, smuggled }) => post(path, `Expect: ${expect}\r\nContent-Length: ${smuggled.length}\r\n`, smuggled),
      ({ smuggled }) => smuggled,
    );
    corpus.add(
      `A067 Expect: ${show(expect)}, chunks unasked`,
      'Passed',
      ({ path, smuggled }) => post(path, `Expect: ${expect}\r\n${CHUNKED}`, chunk(smuggled) + END),
      ({ smuggled }) => smuggled,
    );
    corpus.add(`A067 Expect: ${show(expect)}, and no body`, 'Passed', ({ path }) => get(path, `Expect: ${expect}\r\n`));
    corpus.add(`A067 Expect: ${show(expect)}, and length 0`, 'Passed', ({ path }) =>
      post(path, `Expect: ${expect}\r\nContent-Length: 0\r\n`),
    );
  }
  corpus.add('A067 Expect with a length and chunks', 'Refused', ({ path, smuggled }) =>
    post(path, `Expect: 100-continue\r\nContent-Length: 5\r\n${CHUNKED}`, END + smuggled),
  );
  corpus.add('A067 a body unasked, behind a login', 'Refused', ({ path, smuggled }) =>
    post(`/private${path}`, 'Expect: 100-continue\r\nContent-Length: 500\r\n', smuggled),
  );
  addUpgrades(corpus);
  addTogether(corpus);
}

function addUpgrades(corpus: Corpus): void {
  const SOCKET = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: ';
  // HTTP/2 and TLS inside of a connection are passed on by nobody: the request is an ordinary one without them.
  const ordinary = [
    'Connection: Upgrade\r\nUpgrade: h2c\r\n',
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n',
    'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n',
  ];
  const upgrades = [
    `Connection: Upgrade\r\nUpgrade: websocket\r\n${SOCKET}13\r\n`,
    `Connection: Upgrade\r\nUpgrade: websocket\r\n${SOCKET}777\r\n`,
    `Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n${SOCKET}13\r\n`,
    'Connection: Upgrade\r\nConnection: keep-alive\r\nUpgrade: x\r\n',
  ];
  const ambiguous = [
    'Connection: Upgrade\r\nUpgrade: foo, bar\r\n',
    'Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n',
  ];
  for (const headers of [...ordinary, ...upgrades, ...ambiguous]) {
    const alone = ambiguous.includes(headers) ? 'Refused' : 'Last';
    // With a body, an upgrade begins where the body ends for one reader and where the head ends for another.
    const withBody = ordinary.includes(headers) ? 'Last' : 'Refused';
    corpus.add(`A071 A080 ${show(headers)}`, alone, ({ path, smuggled }) => get(path, headers) + smuggled);
    corpus.add(
      `A071 A080 ${show(headers)} and a length`,
      withBody,
      ({ path, smuggled }) => post(path, `${headers}Content-Length: ${smuggled.length}\r\n`, smuggled) + smuggled,
      ({ smuggled }) => smuggled,
    );
    corpus.add(
      `A071 A080 ${show(headers)} and chunks`,
      withBody,
      ({ path, smuggled }) => post(path, headers + CHUNKED, chunk(smuggled) + END) + smuggled,
      ({ smuggled }) => smuggled,
    );
    corpus.add(`A071 A080 ${show(headers)} and both framings`, 'Refused', ({ path, smuggled }) =>
      post(path, `${headers}Content-Length: 5\r\n${CHUNKED}`, END + smuggled),
    );
  }
  for (const headers of ['Connection: Upgrade\r\n', 'Connection: HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n'])
    corpus.add(`A071 ${show(headers)} is no upgrade`, 'Passed', ({ path }) => get(path, headers));
}

function addTogether(corpus: Corpus): void {
  for (const [what, bytes] of [
    ['bytes', 'GARBAGE\x01\r\n\r\n'],
    ['a request with two framings', `POST /smuggled HTTP/1.1\r\n${HOST}Content-Length: 5\r\n${CHUNKED}\r\n${END}`],
    ['a request without a host', 'GET /smuggled HTTP/1.1\r\n\r\n'],
    ['a request with two hosts', `GET /smuggled HTTP/1.1\r\n${HOST}${HOST}\r\n`],
    ['a CONNECT', `CONNECT app.example:80 HTTP/1.1\r\n${HOST}\r\n`],
    ['a TRACE', `TRACE /smuggled HTTP/1.1\r\n${HOST}\r\n`],
    ['a request of HTTP/2.0', `GET /smuggled HTTP/2.0\r\n${HOST}\r\n`],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a PROXY header', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'],
    ['an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ] as const)
    corpus.add(`A073 ${what} behind a sound request`, 'Last', ({ path }) => get(path) + bytes);
  for (const more of [
    'Connection: close\r\n',
    'Connection: Close\r\n',
    'Connection: keep-alive, close\r\n',
    'Connection: close, keep-alive\r\n',
  ])
    corpus.add(`A073 ${show(more)}`, 'Last', ({ path, smuggled }) => get(path, more) + smuggled);
  for (const bytes of ['\r\n', '\r\n\r\n'])
    corpus.add(`A073 ${show(bytes)} between two requests`, 'Passed', ({ path }) => get(path) + bytes);
  for (const count of [2, 10, 30])
    corpus.add(`A073 ${count} in one packet`, 'Passed', ({ path }) => get(`/private${path}`).repeat(count) + get(path));
  corpus.add(
    'A073 a CONNECT behind a slow one',
    'Last',
    ({ path, smuggled }) => `${get(path)}CONNECT app.example:80 HTTP/1.1\r\n${HOST}\r\n${smuggled}`,
  );
}
