import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Step } from './own-cluster.ts';

/** What builds images. */
export type Builder = 'docker' | 'podman';

type Found = { readonly ok: true; readonly builder: Builder } | { readonly ok: false; readonly message: string };

const ROOT = resolve(import.meta.dirname, '..', '..', '..', '..');

/** Whether the programs that make a cluster answer: a docker without its daemon is none, and podman is taken. */
export function findPrograms(): Found {
  const asked = { kind: ['version'], kubectl: ['version', '--client'], helm: ['version'] };
  const missing = Object.entries(asked).flatMap(([program, args]) => (answers(program, args) ? [] : [program]));
  const builder = (['docker', 'podman'] as const).find((program) => answers(program, ['info']));
  if (missing.length === 0 && builder !== undefined) return { ok: true, builder };
  const all = [...missing, ...(builder === undefined ? ['docker or podman'] : [])];
  const message = `The scenario needs a cluster. To make one, ${all.join(', ')} must be on PATH and answer.`;
  return { ok: false, message };
}

const answers = (program: string, args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/**
 * Runs it in the repository's root with these variables besides, and shows what it says; gives its exit code. A signal ends it
 * and not this process: there is a cluster to be taken down.
 */
export async function runStep(step: Step, environment: Readonly<Record<string, string>>): Promise<number> {
  const [program = '', ...args] = step;
  const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...environment } });
  const end = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', end).on('SIGTERM', end);
  const [code]: readonly unknown[] = await once(child, 'exit');
  process.off('SIGINT', end).off('SIGTERM', end);
  return typeof code === 'number' ? code : 1;
}
