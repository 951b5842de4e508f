/** Numbers from 0 to `below`, the same for the same seed (mulberry32). */
export type Random = (below: number) => number;

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const WORDS = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '"',
    '\0',
    '\x0b',
    '\x7f',
    '\x80',
    '\xa0',
    '0',
    '1',
    '5',
    '05',
    'a',
    'F',
  ],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: ',
    'content-length:',
    'chunked',
    'identity',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: keep-alive\r\n',
    'Connection: upgrade\r\nUpgrade: x\r\n',
    'close',
    'keep-alive',
    'HTTP/1.1 ',
    'HTTP/1.0 ',
    '200',
    '204',
    '304',
  ],
  ...[
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
    'HTTP/1.1 200 OK\r\n',
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    'ffffffff',
    'X: y\r\n',
    ' folded\r\n',
  ],
];

/** Changes a text in one to four places, or joins it with another. */
export function mutated(text: string, all: readonly string[], random: Random): string {
  let out = text;
  for (let times = 1 + random(4); times > 0; times--) out = mutatedOnce(out, all, random);
  return out.slice(0, 4000);
}

function mutatedOnce(text: string, all: readonly string[], random: Random): string {
  const at = random(text.length + 1);
  const to = Math.min(text.length, at + random(12));
  const [before, behind] = [text.slice(0, at), text.slice(at)];
  const pick = (from: readonly string[]): string => from[random(from.length)] ?? '';
  switch (random(8)) {
    case 0:
      return before + String.fromCharCode(random(256)) + behind.slice(1);
    case 1:
      return before + text.slice(to);
    case 2:
      return text.slice(0, to) + behind;
    case 3:
      return before + pick(all).slice(random(40));
    case 4:
      return before + swapCase(behind.slice(0, 1)) + behind.slice(1);
    case 5:
      return before + pick(WORDS) + text.slice(to);
    default:
      return before + pick(WORDS) + behind;
  }
}

const swapCase = (letter: string): string =>
  letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase();
