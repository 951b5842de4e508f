import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';

const NONE: Readonly<IncomingHttpHeaders> = Object.freeze({});

/** What node's server, and the fronts, ask for by name; lower case, by length. */
const ASKED: ReadonlyMap<number, readonly string[]> = new Map([
  [6, ['expect']],
  [7, ['upgrade']],
  [10, ['connection']],
  [14, ['content-length']],
  [17, ['transfer-encoding']],
]);

/**
 * A request whose `headers` holds only what the server itself looks at: node's has all of them joined and lower-cased, 3 µs of
 * a request of 60, and nobody reads it, for the gate reads `rawHeaders`. Of a header that comes twice the first is taken; the gate
 * refuses such a request whatever it was taken for.
 */
export class FrontRequest extends IncomingMessage {
  #asked: Readonly<IncomingHttpHeaders> | undefined;

  askedHeaders(): Readonly<IncomingHttpHeaders> {
    this.#asked ??= readAsked(this.rawHeaders);
    return this.#asked;
  }
}

Object.defineProperty(FrontRequest.prototype, 'headers', {
  configurable: true,
  get(this: FrontRequest) {
    return this.askedHeaders();
  },
});

function readAsked(raw: readonly string[]): Readonly<IncomingHttpHeaders> {
  let found: IncomingHttpHeaders | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const spelling = raw[i] ?? '';
    const names = ASKED.get(spelling.length);
    if (names === undefined) continue;
    const name = spelling.toLowerCase();
    if (!names.includes(name)) continue;
    found ??= {};
    found[name] ??= raw[i + 1];
  }
  return found ?? NONE;
}
