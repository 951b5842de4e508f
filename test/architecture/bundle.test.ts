import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', '..', 'src');

it('src uses nothing of @kubernetes/client-node but KubeConfig: scripts/bundle.ts leaves out the rest', () => {
  const files = globSync('**/*.ts', { cwd: SRC });
  const uses = files.flatMap((file) =>
    readFileSync(join(SRC, file), 'utf8')
      .split('\n')
      .filter((line) => line.includes('@kubernetes/client-node') && !/^\s*(\/\/|\*|\/\*)/.test(line))
      .map((line) => line.trim()),
  );
  expect(uses.length).toBeGreaterThan(0);
  const allowed =
    /^(import type \{ KubeConfig \} from|const \{ KubeConfig \} = await import\()\s*'@kubernetes\/client-node'\)?;$/;
  expect(uses.filter((line) => !allowed.test(line))).toEqual([]);
});
