import { freePort } from '../test/support/gateway.ts';
import { startGateway } from './gateway.ts';
import { load } from './load.ts';
import { startPlainProxy, startUpstream } from './nginx.ts';
import { cpuSeconds, startPinned } from './process.ts';
import { type Figure, median } from './statistics.ts';

const ROUNDS = 7;
const SECONDS = 3;
const PROXY_CORE = '0';
const LOAD_CORE = '1';

/** What Chromium sends with a navigation. */
const BROWSER = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.9',
  'Accept-Encoding: gzip, deflate',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: same-origin',
  'Sec-Fetch-User: ?1',
  'Upgrade-Insecure-Requests: 1',
];

interface Contender {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
}

interface Round {
  readonly cpu: number;
  readonly p99: number;
}

/** CPU of the proxy per request, every contender in each round, the ratios taken round by round. */
export async function cpuFigures(): Promise<readonly Figure[]> {
  const [upstreamPort, nginxPort, minimalPort] = [await freePort(), await freePort(), await freePort()];
  const upstream = await startUpstream(upstreamPort, LOAD_CORE);
  const nginx = await startPlainProxy(nginxPort, upstreamPort, PROXY_CORE);
  const minimal = startPinned(PROXY_CORE, [
    process.execPath,
    'bench/minimal-proxy.mjs',
    String(minimalPort),
    String(upstreamPort),
  ]);
  const gateway = await startGateway(upstreamPort, PROXY_CORE);
  const headers = [...BROWSER, `Cookie: ${gateway.cookie}`];
  const contenders: readonly Contender[] = [
    { name: 'nginx', url: `http://localhost:${nginxPort}/app`, pid: nginx.pid },
    { name: 'postern', url: `${gateway.url}/app`, pid: gateway.process.pid },
    { name: 'minimal', url: `http://localhost:${minimalPort}/app`, pid: minimal.pid },
  ];
  const rounds = new Map<string, Round[]>(contenders.map(({ name }) => [name, []]));
  try {
    // Round 0 warms up and is not counted.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const { name, url, pid } of contenders) {
        const before = cpuSeconds(pid);
        const result = await load({ url, headers, seconds: SECONDS, connections: 64, cores: LOAD_CORE });
        const cpu = ((cpuSeconds(pid) - before) / result.requests) * 1e6;
        if (round > 0) rounds.get(name)?.push({ cpu, p99: result.p99Ms });
      }
    }
  } finally {
    await Promise.all([gateway.stop(), nginx.stop(), minimal.stop(), upstream.stop()]);
  }
  for (const [name, all] of rounds) {
    console.log(
      `  ${name}: ${median(all.map((r) => r.cpu)).toFixed(1)} µs CPU/request, p99 ${median(all.map((r) => r.p99)).toFixed(1)} ms`,
    );
  }
  const ratio = (other: string): number => {
    const others = rounds.get(other) ?? [];
    return median((rounds.get('postern') ?? []).map(({ cpu }, i) => cpu / (others[i]?.cpu ?? Number.NaN)));
  };
  const value = ratio('nginx');
  return [
    {
      figure: 'CPU per authenticated request',
      against: 'nginx, plain proxy',
      value,
      unit: '×',
      goal: '≤ 4 ×',
      met: value <= 4,
    },
    {
      figure: 'CPU per authenticated request',
      against: 'node:http on both sides, checks nothing',
      value: ratio('minimal'),
      unit: '×',
      goal: '(for comparison)',
      met: true,
    },
  ];
}
