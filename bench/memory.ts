import { startGateway } from './data-path/gateway.ts';
import { startBodies } from './data-path/nginx.ts';
import { wrk } from './data-path/wrk.ts';
import { residentBytes } from './process.ts';
import type { Figure } from './statistics.ts';

const WARM = 200_000;
const MEASURED = 100_000;
const MIB = 1024 * 1024;

/** Resident memory before and after 100,000 requests, once 200,000 others have let the young generation find its size. */
export async function memoryFigure(): Promise<readonly Figure[]> {
  const upstream = await startBodies();
  const gateway = await startGateway({ upstreamPort: upstream.port });
  const node = gateway.pid;
  const requests = async (atLeast: number): Promise<void> => {
    for (let sent = 0; sent < atLeast; ) sent += (await wrk(gateway, { seconds: 3, connections: 64 })).count;
  };
  try {
    await requests(WARM);
    const before = residentBytes(node);
    await requests(MEASURED);
    const value = (residentBytes(node) - before) / MIB;
    console.log(`  ${(before / MIB).toFixed(0)} MiB resident`);
    return [
      {
        figure: 'memory gained in 100,000 requests',
        against: 'itself before',
        value,
        unit: 'MiB',
        goal: '≤ 10 MiB',
        met: value <= 10,
      },
    ];
  } finally {
    await gateway.stop();
    await upstream.stop();
  }
}
