import { describe, expect, it, onTestFinished } from 'vitest';
import type { RequestRecord } from '../../src/proxy/record.ts';
import { RawClient } from '../support/raw-client.ts';
import { type RequestCase, SMUGGLED } from './corpus/case.ts';
import { requestCorpus } from './corpus/requests.ts';
import { bodiesOf, requestLines, UPSTREAMS } from './corpus/upstreams.ts';
import { eventually, startGateway } from './support/gateway.ts';

const CASES = requestCorpus();
/** Connections at a time: enough that requests of several clients meet on one connection to the upstream. */
const AT_ONCE = 8;

it('the corpus has hundreds of requests, each of its own', () => {
  expect(CASES.length).toBeGreaterThanOrEqual(500);
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
});

/** All answers to a case, as far as they can be told apart by a reader that is no HTTP client. */
async function send(port: number, { bytes, outcome }: RequestCase): Promise<readonly number[]> {
  const client = await RawClient.connect(port);
  await client.send(bytes);
  // Where a body is short nothing would come of waiting; otherwise the proxy is to end the connection by itself.
  if (outcome === 'Cut') client.socket.end();
  const forever = setTimeout(() => client.destroy(), 10_000);
  await client.closed;
  clearTimeout(forever);
  return Array.from(client.received.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status)).filter(
    (status) => status >= 200,
  );
}

/** Requests that were passed on, whatever became of them, as the upstream would write them down. */
const passedOn = (records: readonly RequestRecord[]): readonly RequestRecord[] =>
  records.filter(
    ({ service, outcome, reason }) => service !== undefined && DECIDED.has(outcome) && reason !== 'encoded_slash',
  );
const DECIDED: ReadonlySet<string> = new Set(['forwarded', 'upstream_failed', 'client_gone', 'bad_request']);
const lineOf = ({ method, path }: RequestRecord): string => `${method} ${path} HTTP/1.1`;
const withoutQuery = (line: string): string => line.replace(/\?\S*/, '');

function countOf(lines: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

describe.each(UPSTREAMS)('the corpus of requests, with $name behind', ({ part, start }) => {
  it.skipIf(part?.missing ?? false)(
    `A015 A032 A033 A040 A042 A045 A060 A061 A063 A064 A065 A067 A071 A073 A074 A080 T14 T15 T17 no upstream sees a request that was not decided ${part?.why ?? ''}`,
    async () => {
      const upstream = await start();
      onTestFinished(() => upstream.stop());
      const gateway = await startGateway({ port: upstream.port });
      onTestFinished(() => gateway.close());
      const answers = new Map<RequestCase, readonly number[]>();
      const waiting = [...CASES];
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
          answers.set(next, await send(gateway.port, next));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      await eventually(() => gateway.leases === 0, 'all are over');

      const decided = passedOn(gateway.records);
      const wrong: string[] = [];
      for (const one of CASES) {
        const main = decided.filter(({ path }) => path === one.path);
        const after = decided.filter(({ path }) => path === one.after);
        const fits = {
          Refused: main.length === 0 && after.length === 0,
          Passed: main.length === 1 && main[0]?.outcome === 'forwarded' && after.length === 1,
          Last: main.length === 1 && after.length === 0,
          Cut: main.length <= 1 && after.length === 0,
        }[one.outcome];
        const statuses = answers.get(one) ?? [];
        const refused = one.outcome !== 'Refused' || statuses.every((status) => status >= 400);
        if (!fits || !refused)
          wrong.push(
            `${one.outcome} ${one.name}: ${main.length} ${after.length} ${statuses.join()} ${main[0]?.outcome} ${main[0]?.reason}`,
          );
      }
      expect(wrong).toEqual([]);

      const seen = countOf((await requestLines(upstream)).map(withoutQuery));
      const mayBeSeen = countOf(decided.map(lineOf));
      const isSeen = countOf(decided.filter(({ outcome }) => outcome === 'forwarded').map(lineOf));
      const undecided = [...seen].filter(([line, count]) => count > (mayBeSeen.get(line) ?? 0));
      expect(undecided).toEqual([]);
      expect([...isSeen].filter(([line, count]) => count > (seen.get(line) ?? 0))).toEqual([]);
      expect([...seen.keys()].filter((line) => line.includes(SMUGGLED))).toEqual([]);
      expect(isSeen.size).toBeGreaterThan(150);
      if (part === undefined) {
        const bodies = bodiesOf(upstream);
        for (const { name, path, outcome, body } of CASES)
          if (outcome === 'Passed') expect(bodies.get(path) ?? '', name).toBe(body);
      }
      expect(gateway.errors).toEqual([]);
    },
    60_000,
  );
});
