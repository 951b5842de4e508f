import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';
import { NAMESPACES } from './site.ts';

/** Where E2E_LOGS names a folder: what the cluster has to say at this moment, in a folder of that name in it. */
export async function keepLogs(name: string): Promise<void> {
  const root = process.env['E2E_LOGS'] ?? '';
  if (root === '') return;
  const directory = join(root, name.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, 80));
  mkdirSync(directory, { recursive: true });
  const keep = async (file: string, ...args: readonly string[]): Promise<void> => {
    const { stdout, stderr } = await run('kubectl', args);
    writeFileSync(join(directory, file), stdout + stderr);
  };
  await keep('pods.txt', 'get', 'pods', '-A', '-o', 'wide');
  await keep('events.txt', 'get', 'events', '-A', '--sort-by=.lastTimestamp');
  await keep('objects.yaml', 'get', 'psvc,proute,oidc', '-A', '-o', 'yaml', '--show-managed-fields');
  await keep('leases.yaml', 'get', 'leases', '-n', NAMESPACES.system, '-o', 'yaml');
  const all = ['--all-containers', '--prefix', '--tail=-1', '--max-log-requests=20'];
  await keep('postern.log', 'logs', '-n', NAMESPACES.system, '-l', 'app.kubernetes.io/name=postern', ...all);
  await keep('provider.log', 'logs', '-n', NAMESPACES.provider, '-l', 'app=provider', ...all);
}
