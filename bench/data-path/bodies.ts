import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from '../statistics.ts';
import { startGateway } from './gateway.ts';
import { startPlain, type Upstream } from './nginx.ts';
import { interleaved, ratio, ratioFigure } from './rounds.ts';
import { wrk } from './wrk.ts';

const MIB = 1024 * 1024;

/** Bodies of 1 MiB: to the upstream, and from it. */
export async function largeBodies(upstream: Upstream): Promise<readonly Figure[]> {
  const nginx = await startPlain(upstream.port);
  const gateway = await startGateway({ upstreamPort: upstream.port });
  const script = join(mkdtempSync(join(tmpdir(), 'postern-bench-')), 'post.lua');
  writeFileSync(script, `wrk.method = "POST"\nwrk.body = string.rep("x", ${MIB})\n`);
  try {
    const down = await interleaved([nginx, gateway], (contender) =>
      wrk(contender, { seconds: 3, connections: 16, url: `${contender.url}/large` }),
    );
    const up = await interleaved([nginx, gateway], (contender) =>
      wrk(contender, { seconds: 3, connections: 16, url: `${contender.url}/sink`, script }),
    );
    return [
      ratioFigure('CPU per response of 1 MiB', nginx.name, ratio(down, gateway.name, nginx.name), 1.1),
      ratioFigure('CPU per request of 1 MiB', nginx.name, ratio(up, gateway.name, nginx.name), 1.1),
    ];
  } finally {
    await Promise.all([nginx.stop(), gateway.stop()]);
  }
}
