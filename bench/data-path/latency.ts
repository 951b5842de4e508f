import type { Figure } from '../statistics.ts';
import type { Capacity } from './authenticated.ts';
import { startGateway } from './gateway.ts';
import { h2load } from './h2load.ts';
import { startPlain, type Upstream } from './nginx.ts';
import { interleaved, ratio, ratioFigure } from './rounds.ts';

/** p99 at half of what Postern can do on one core, against nginx at the same rate. */
export async function latency(upstream: Upstream, { perSecond }: Capacity): Promise<readonly Figure[]> {
  const nginx = await startPlain(upstream.port);
  const gateway = await startGateway({ upstreamPort: upstream.port });
  const rate = Math.round(perSecond / 2);
  console.log(`  ${rate} requests a second`);
  try {
    const rounds = await interleaved([nginx, gateway], (contender) =>
      h2load(contender, { seconds: 4, connections: 64, streams: 1, http1: true, rate }),
    );
    const p99 = ratio(rounds, gateway.name, nginx.name, (round) => round.p99);
    const p50 = ratio(rounds, gateway.name, nginx.name, (round) => round.p50);
    return [
      ratioFigure('p99 at half of the capacity', `${nginx.name}, same rate`, p99, 1.5),
      ratioFigure('p50 at half of the capacity', `${nginx.name}, same rate`, p50),
    ];
  } finally {
    await Promise.all([nginx.stop(), gateway.stop()]);
  }
}
