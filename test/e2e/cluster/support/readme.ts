import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readmeWay } from '../../../support/documented.ts';
import type { Image } from './environment.ts';
import { must } from './run.ts';

/** The cluster and the image: made before the scenario, by the same lines where `npm run e2e` makes them itself. */
const MADE_BEFORE = /^(kind|docker) /;

/** Commands of README.md that run in a cluster which is there, in order. */
export const readmeCommands = (way: 'helm' | 'kubectl' | 'kind'): readonly string[] =>
  readmeWay(way).filter((command) => !MADE_BEFORE.test(command));

/**
 * Runs a line of README.md as it is written, in a shell; the image alone is that of this run, as the README says it for an
 * image of one's own: by `--set`, and in the manifest by the line `image:`. Gives what it wrote.
 */
export async function runReadme(command: string, image: Image): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-readme-'));
  try {
    const manifest = 'manifests/install/postern.yaml';
    mkdirSync(join(directory, dirname(manifest)), { recursive: true });
    const text = readFileSync(manifest, 'utf8');
    writeFileSync(join(directory, manifest), text.replaceAll(/^(\s*image:) .*$/gm, `$1 ${nameOf(image)}`));
    cpSync('charts', join(directory, 'charts'), { recursive: true });
    return await must('sh', ['-e', '-c', withImage(command, image)], { cwd: directory });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const nameOf = ({ repository, tag }: Image): string => `${repository}:${tag}`;

/** `postern:dev` is what the README builds: where the run has just that, nothing differs. */
function withImage(command: string, image: Image): string {
  if (!command.startsWith('helm install ')) return command;
  if (command.includes('--set image.tag=dev') && nameOf(image) === 'postern:dev') return command;
  return `${command} --set image.repository=${image.repository} --set image.tag=${image.tag}`;
}
