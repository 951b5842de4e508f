import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyObjects } from '../../demo/objects.ts';
import { choosePorts } from '../../demo/ports.ts';

const EXAMPLES = resolve(import.meta.dirname, '../../manifests/examples/demo');
const PORTS = { gateway: 1001, provider: 1002, service: 1003, metrics: 1004, debug: 1005 };
/** The loopback addresses of this machine: containers often have no IPv6. */
const LOOPBACK = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .map(({ address }) => address)
  .filter((address) => address === '127.0.0.1' || address === '::1');
const FREE = {
  POSTERN_DEMO_GATEWAY_PORT: '0',
  POSTERN_DEMO_PROVIDER_PORT: '0',
  POSTERN_DEMO_SERVICE_PORT: '0',
  POSTERN_DEMO_METRICS_PORT: '0',
  POSTERN_DEMO_DEBUG_PORT: '0',
};

describe('choosePorts', () => {
  it('finds free ones for 0', async () => {
    const choice = await choosePorts(FREE);
    const ports = choice.ok ? Object.values(choice.ports) : [];
    expect(new Set(ports).size).toBe(5);
    expect(ports.every((port) => port > 0)).toBe(true);
  });

  it.each(LOOPBACK)('says which variable changes a port that is taken on %s', async (host) => {
    const other = createServer().listen(0, host);
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const choice = await choosePorts({ ...FREE, POSTERN_DEMO_METRICS_PORT: String(port) });
    other.close();
    expect(choice).toEqual({
      ok: false,
      problems: [
        `Port ${port}, for the metrics, is taken by another program. Choose another one with POSTERN_DEMO_METRICS_PORT, for example: POSTERN_DEMO_METRICS_PORT=0 npm run demo`,
      ],
    });
  });

  it('says everything that is wrong at once', async () => {
    const choice = await choosePorts({
      ...FREE,
      POSTERN_DEMO_GATEWAY_PORT: 'http',
      POSTERN_DEMO_PROVIDER_PORT: '70000',
      POSTERN_DEMO_METRICS_PORT: '47113',
      POSTERN_DEMO_DEBUG_PORT: '47113',
    });
    expect(choice.ok ? [] : choice.problems.map((text) => text.split('.')[0])).toEqual([
      'POSTERN_DEMO_GATEWAY_PORT is “http”',
      'POSTERN_DEMO_PROVIDER_PORT is “70000”',
      'POSTERN_DEMO_DEBUG_PORT and POSTERN_DEMO_METRICS_PORT are both 47113',
    ]);
  });
});

describe('copyObjects', () => {
  let under: string;
  beforeEach(() => {
    under = mkdtempSync(join(tmpdir(), 'postern-demo-'));
  });
  afterEach(() => rmSync(under, { recursive: true, force: true }));
  const read = (file: string): string => readFileSync(join(under, file), 'utf8');

  it('copies every example with the ports of this start in it', () => {
    const copy = copyObjects(EXAMPLES, under, PORTS);
    expect(copy).toEqual({ directory: join(under, 'objects'), kept: undefined });
    expect(readdirSync(copy.directory).sort()).toEqual(readdirSync(EXAMPLES).sort());
    expect(read('objects/service.yaml')).toContain('url: http://127.0.0.1:1003 ');
    expect(read('objects/oidcplugin.yaml')).toContain('issuer: http://127.0.0.1:1002 ');
    const all = readdirSync(copy.directory).map((file) => read(`objects/${file}`));
    expect(all.join('\n')).not.toMatch(/:808[0-9]/);
  });

  it('keeps what was edited, and nothing that was not', () => {
    copyObjects(EXAMPLES, under, { ...PORTS, gateway: 2001, service: 2003 });
    expect(copyObjects(EXAMPLES, under, PORTS).kept).toBeUndefined();
    writeFileSync(join(under, 'objects/service.yaml'), 'mine');
    expect(copyObjects(EXAMPLES, under, PORTS).kept).toBe(join(under, 'objects.old'));
    expect(read('objects.old/service.yaml')).toBe('mine');
    expect(read('objects/service.yaml')).toContain('kind: Service');
    expect(copyObjects(EXAMPLES, under, PORTS).kept).toBeUndefined();
    expect(read('objects.old/service.yaml')).toBe('mine');
  });
});
