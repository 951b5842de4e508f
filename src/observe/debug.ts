import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import type { PluginLog } from '../plugins/contract.ts';
import { type Endpoint, jsonPage, type Page, type PageServer, servePages, textPage } from './pages.ts';

export interface RequestQuestion {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface DebugOptions {
  /** A loopback address. */
  readonly endpoint: Endpoint;
  /** The table and what is said of each object, as JSON without secrets; undefined before there is one. */
  snapshot(): unknown;
  /** What would be done with a request, as JSON; undefined before there is a table. */
  explain(question: RequestQuestion): unknown;
  /** Further pages below `/debug/`, as JSON without secrets, by name. */
  readonly pages?: Readonly<Record<string, () => unknown>>;
  readonly log: PluginLog;
}

/**
 * The debug listener: `/debug/snapshot` and `/debug/routes/match?method=&host=&path=`. Only this machine can ask, and no
 * page of a browser on it: a name that was pointed at 127.0.0.1 is refused by its Host header (DNS rebinding, A171).
 * @throws where the address isn't a loopback one.
 */
export async function startDebug(options: DebugOptions): Promise<PageServer> {
  const { host } = options.endpoint;
  if (!isLoopbackAddress(host) && host !== 'localhost') {
    throw new Error(`the debug listener shows the whole table and listens on loopback addresses only, not on ${host}`);
  }
  return await servePages({
    endpoint: options.endpoint,
    log: options.log,
    refuse: (request) => (isLocal(request) ? undefined : NOT_LOCAL),
    pages: new Map<string, (query: URLSearchParams) => Page>([
      ['/debug/snapshot', () => found(options.snapshot())],
      ['/debug/routes/match', (query) => matchPage(query, options)],
      ...Object.entries(options.pages ?? {}).map(([name, page]) => [`/debug/${name}`, () => found(page())] as const),
    ]),
  });
}

function matchPage(query: URLSearchParams, options: DebugOptions): Page {
  const host = query.get('host');
  const path = query.get('path');
  if (host === null || path === null) return USAGE;
  const headers = new Map<string, string>();
  for (const line of query.getAll('header')) {
    const colon = line.indexOf(':');
    if (colon < 1) return USAGE;
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return found(options.explain({ method: query.get('method') ?? 'GET', host, path, headers }));
}

const found = (value: unknown): Page => (value === undefined ? NOT_YET : jsonPage(200, value));

const NOT_LOCAL = textPage(403, 'only for this machine: ask with the Host localhost or 127.0.0.1\n');
const NOT_YET = textPage(503, 'no table has been published yet\n');
const USAGE = textPage(
  400,
  'ask like this: /debug/routes/match?method=GET&host=shop.example.com&path=/orders&header=x-version:2\n',
);

function isLocal(request: IncomingMessage): boolean {
  const peer = request.socket.remoteAddress;
  const host = /^(.*?)(:[0-9]{1,5})?$/.exec(request.headers.host ?? '')?.[1] ?? '';
  // IPv6 has brackets in a Host header.
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return peer !== undefined && isLoopbackAddress(peer) && (host === 'localhost' || isLoopbackAddress(address));
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Textual addresses only; `::ffff:127.0.0.1` is how a dual-stack socket shows an IPv4 peer. */
function isLoopbackAddress(text: string): boolean {
  return loopback.check(text, 'ipv4') || loopback.check(text, 'ipv6');
}
