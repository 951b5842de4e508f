import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startGateway } from './data-path/gateway.ts';
import { startBodies } from './data-path/nginx.ts';
import { type Figure, median } from './statistics.ts';

const CHANGES = 20;

/** From the rename of a changed file to the first request that the new Route answers, polled every millisecond. */
export async function reloadFigure(): Promise<readonly Figure[]> {
  const upstream = await startBodies();
  const gateway = await startGateway({ upstreamPort: upstream.port });
  const times: number[] = [];
  try {
    for (let i = 0; i < CHANGES; i++) {
      await writeFile(join(gateway.objects, '.next'), routeText(i));
      const start = performance.now();
      await rename(join(gateway.objects, '.next'), join(gateway.objects, 'added.yaml'));
      while ((await fetch(new URL(`/added-${i}`, gateway.url))).status !== 200) {
        if (performance.now() - start > 10_000) throw new Error('the change never went live');
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      times.push(performance.now() - start);
    }
  } finally {
    await gateway.stop();
    await upstream.stop();
  }
  const value = median(times);
  console.log(`  from ${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms`);
  return [
    { figure: 'file change to live, median', against: '', value, unit: 'ms', goal: '≤ 300 ms', met: value <= 300 },
  ];
}

const routeText = (i: number): string => `
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: added}
spec: {hosts: [localhost], paths: [{type: Prefix, value: /added-${i}}], serviceRef: {name: up}, access: Public}
`;
