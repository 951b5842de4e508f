import type { LimitName, ProxyLimits } from './limits.ts';

export type LimitUnit = 'Count' | 'Size' | 'Time' | 'Rate' | 'Share';

/** What may be written for a limit, and what it does, in words for whoever sets it. */
export interface LimitRule {
  readonly unit: LimitUnit;
  readonly least: number;
  readonly most: number;
  /** Whether `off` may be written. */
  readonly off: boolean;
  readonly help: string;
  /** What a client sees when it strikes. */
  readonly strikes: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const DAY = 86_400 * SECOND;

const count = (least: number, most: number, help: string, strikes: string, off = false): LimitRule => ({
  unit: 'Count',
  least,
  most,
  off,
  help,
  strikes,
});
const size = (least: number, most: number, help: string, strikes: string, off = false): LimitRule => ({
  unit: 'Size',
  least,
  most,
  off,
  help,
  strikes,
});
const time = (least: number, most: number, help: string, strikes: string, off = false): LimitRule => ({
  unit: 'Time',
  least,
  most,
  off,
  help,
  strikes,
});

const CLOSED = 'the connection is closed';

/** Every limit of the listeners, in the order in which a request meets them. */
export const LIMITS: Readonly<Record<LimitName, LimitRule>> = {
  connections: count(1, 1_000_000, 'Open connections of clients, on all listeners together.', CLOSED),
  connectionsPerAddress: count(
    1,
    1_000_000,
    'Open connections of one client address; of IPv6 those of a /64 are one. Half of `connections` where it is not set. What `--trusted-proxies` lists is never held to it. Where every connection seems to come from a few nodes (a load balancer or kube-proxy that rewrites addresses), turn it off.',
    CLOSED,
    true,
  ),
  handshakes: count(
    1,
    1_000_000,
    'TLS handshakes under way. 1,000, or `connections` where that is less.',
    'the oldest one is ended',
  ),
  handshakeTimeout: time(100, DAY, 'From a connection to the end of its TLS handshake.', CLOSED),
  headTimeout: time(
    100,
    DAY,
    'From a connection, or from the first byte of a request, to the end of its head.',
    '408, and the connection is closed',
  ),
  targetBytes: size(2 * KIB, MIB, 'Path and query of a request. The way back from a login needs up to 14Ki.', '414'),
  headerLines: count(32, 10_000, 'Header lines of a request.', '431'),
  headerBytes: size(8 * KIB, MIB, 'Names and values of all header lines.', '431'),
  bodyBytes: size(
    0,
    2 ** 50,
    'Body of a request whose Route has no `maxRequestBody`.',
    '413, at once where the length is announced, otherwise as soon as it is too much',
    true,
  ),
  bodyTimeout: time(
    100,
    DAY,
    'Longest silence of a client in the middle of a body. Does not count while the upstream is what holds it up, nor once the answer has begun; there, and beside this one, `timeouts.idle` of the Route holds.',
    '408, and the connection is closed',
  ),
  bodyRate: {
    unit: 'Rate',
    least: 1,
    most: 2 ** 30,
    off: true,
    help: 'Bytes of a body in a second, on average, from the first `bodyTimeout` on. Counts as `bodyTimeout` does.',
    strikes: '408, and the connection is closed',
  },
  requestTimeout: time(
    1000,
    DAY,
    'From the head of a request to the end of its answer, streams included. A Route or Service has the finer ones.',
    '504, or where the answer has begun the connection is closed',
    true,
  ),
  sendTimeout: time(100, DAY, 'How long a client may take nothing of what is sent to it.', CLOSED),
  keepAliveTimeout: time(
    1000,
    DAY,
    'Between two requests of a connection. Load balancers in front should give up earlier than this.',
    CLOSED,
  ),
  requestsPerConnection: count(
    1,
    1_000_000_000,
    'Requests of one connection. Clients then open another one, perhaps to another replica.',
    'the answer says `Connection: close`',
    true,
  ),
  pipelinedRequests: count(1, 10_000, 'Requests of a connection that wait for the answer to an earlier one.', CLOSED),
  streams: count(
    10,
    10_000,
    'Requests of one HTTP/2 connection that are at work at once.',
    'the request is refused, to be sent again',
  ),
  streamsPerConnection: count(
    1,
    1_000_000_000,
    'Requests of one HTTP/2 connection. Clients then open another one, perhaps to another replica.',
    'the connection takes no new request (GOAWAY)',
  ),
  halfClosedTimeout: time(
    0,
    DAY,
    'How long a client that has shut down its sending side is waited for, if its answer has not begun: one that went away altogether looks the same. With `0s` it counts as gone at once.',
    'the request is given up',
  ),
  discardBytes: size(
    0,
    2 ** 30,
    'What is still read of a body that nobody wants, so that its connection can go on.',
    CLOSED,
  ),
  discardTimeout: time(100, DAY, 'And for how long.', CLOSED),
  memory: {
    unit: 'Share',
    least: 0.1,
    most: 0.99,
    off: true,
    help: 'Share of the heap, or of the memory limit of the container, beyond which new work is refused.',
    strikes: '503 with `Retry-After`, and the connection is closed',
  },
  loopDelay: time(
    50,
    60 * SECOND,
    'How late the event loop may be, twice in a row, before new work is refused.',
    '503 with `Retry-After`, and the connection is closed',
    true,
  ),
};

/** Which limits make no sense together; each a whole complaint. */
export function limitConflicts(limits: ProxyLimits): readonly string[] {
  const faults: string[] = [];
  const notAbove = (lower: LimitName, upper: LimitName, why: string): void => {
    const [a, b] = [limits[lower], limits[upper]];
    if (Number.isFinite(a) && a > b)
      faults.push(
        `${lower}=${formatLimit(lower, a)} is more than ${upper}=${formatLimit(upper, b)}, ${why}: write at most ${formatLimit(lower, b)}, or a larger ${upper}`,
      );
  };
  notAbove('connectionsPerAddress', 'connections', 'so that it would never strike');
  notAbove('handshakes', 'connections', 'so that it would never strike');
  notAbove('headTimeout', 'requestTimeout', 'which a head is part of');
  notAbove('bodyTimeout', 'requestTimeout', 'which a body is part of');
  return faults;
}

/** As a user writes it: `32Ki`, `10s`, `90%`, `off`. */
export function formatLimit(name: LimitName, value: number): string {
  const { unit, off } = LIMITS[name];
  if (off && (value === Number.POSITIVE_INFINITY || (unit === 'Rate' && value === 0))) return 'off';
  switch (unit) {
    case 'Count':
      return String(value);
    case 'Size':
    case 'Rate':
      return formatSize(value);
    case 'Time':
      return value % SECOND === 0 ? `${value / SECOND}s` : `${value}ms`;
    case 'Share':
      return `${Math.round(value * 100)}%`;
  }
}

function formatSize(value: number): string {
  for (const [unit, bytes] of [
    ['Gi', 1024 * MIB],
    ['Mi', MIB],
    ['Ki', KIB],
  ] as const)
    if (value >= bytes && value % bytes === 0) return `${value / bytes}${unit}`;
  return String(value);
}
