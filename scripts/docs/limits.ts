import { formatLimit, LIMITS } from '../../src/proxy/limit-table.ts';
import { DEFAULT_LIMITS, type LimitName } from '../../src/proxy/limits.ts';
import { plain, table } from './fields.ts';

/** docs/limits.md: every limit of the listeners, what it is by default, and what a client sees of it. */
export function limits(): string {
  const rows = NAMES.map((name) => {
    const { help, strikes, off } = LIMITS[name];
    return [
      `\`${name}\``,
      `\`${formatLimit(name, DEFAULT_LIMITS[name])}\`${off ? ' (can be `off`)' : ''}`,
      plain(help).replaceAll('\\`', '`'),
      strikes,
    ];
  });
  return `
# Limits and overload

No number that a client chooses sets how much memory, time or how many connections it takes. Everything below is on by
default, and each limit that strikes is counted under its name in \`postern_limit_hits_total{limit}\`.

They are set all in one place: \`--limits connections=20000,headTimeout=5s\`, the variable \`POSTERN_LIMITS\`, or \`limits\` in
the chart's values, where \`{connections: 20000, headTimeout: 5s}\` says the same. Sizes are bytes, with \`Ki\`, \`Mi\`, \`Gi\` or
\`k\`, \`M\`, \`G\`. What makes no sense together is refused at the start, with the two values and what to write instead.

${table(['limit', 'default', '', 'what happens'], rows)}
Time-outs are looked at once a second, so that one strikes up to a second late; never early, nor for time in which the whole
process stood still.

What belongs to one place is set there: \`maxRequestBody\` and \`timeouts\` of a Route, \`timeouts\` of a Service
([objects.md](objects.md)). A body whose \`Content-Length\` is more than its Route takes is answered 413 before a byte of it is
read, and after the login: who may not come in at all hears that first. One without a length is passed on as it comes; where
it turns out too large, the request to the upstream is broken off, never completed, and the client gets 413 if its answer
hasn't begun. The end of such a connection is a slow one, so that a client that is still sending can read its answer.

## Connections

\`connections\` is for all listeners together. Each takes a file descriptor, and one more towards an upstream: where the
process may open fewer files than that takes (\`ulimit -n\`), the number is lowered at the start, and the log says so. Should
descriptors run out all the same, connections that can't be accepted are closed and the listener stays; what can't reach its
upstream for it is 502, and the log has the cause.

\`connectionsPerAddress\` counts the address of the TCP connection, not what a header says. Its default is large, so that
nobody alone takes every connection, and yet a company behind one address, or a cluster that shows the addresses of its
nodes (\`externalTrafficPolicy: Cluster\`), isn't turned away. Where clients come with their own addresses, a number of some
dozens is enough for any browser.

A client that closes its sending side after the request still gets its answer. One that is gone altogether looks the same
until something is sent to it, so \`halfClosedTimeout\` says how long an upstream is kept at work for it; a reset is noticed at
once.

## Overload

When memory or the event loop passes its mark, what is new is refused, and what is under way goes on: requests, uploads,
downloads and tunnels. That is what frees memory and time.

- New requests, on kept connections too, are answered 503 with \`Retry-After: 2\` and \`Connection: close\`, whatever the Route.
- \`--health-path\`, \`/livez\`, \`/readyz\` and \`/metrics\` are answered as ever. **Readiness stays**: where all replicas are
  overloaded, taking one out of the load balancer would bring down the others. A replica that is worse off than the others
  sheds by itself, and clients find another one with their next connection.
- Beyond half of what is left above the mark for memory (95 % with a mark of 90 %), new connections are closed at once.

**Memory** is the old generation of the heap against its own limit, and the resident size against the memory limit of the
container (cgroup v1 and v2, read again every ten seconds). Before anything is refused garbage is collected, which takes a
twentieth of the time at most, for only what is in use counts. A resident size that has not grown for half a minute counts as
freed memory that the allocator keeps; what it grows by from there on counts.

**The event loop** is looked at every 100 ms. It has to be late twice in a row: one long pause (a stopped process, a
collection) sheds nothing.

It ends by itself: memory 5 points below its mark, or a loop that was on time for a second. Each episode is two lines of the
log, its beginning and its end, and counted in \`postern_overload_episodes_total{cause}\`; \`postern_overloaded{cause}\` is 1
meanwhile. What was shed has the outcome \`overloaded\` in \`postern_http_outcomes_total\`.

\`/livez\` answers as long as the event loop turns, and asks nobody else: no API server, provider or upstream. It fails where
the loop has been more than five seconds late each time for half a minute, in which nobody was served; a pause of some seconds restarts
nothing.
`;
}

const isName = (text: string): text is LimitName => Object.hasOwn(LIMITS, text);
const NAMES: readonly LimitName[] = Object.keys(LIMITS).filter(isName);
