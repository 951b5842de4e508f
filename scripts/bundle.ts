import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';

/**
 * `npm run bundle` writes dist/postern.mjs: the program and every package that it uses, in one file that Node runs as it is,
 * and dist/licenses.txt, the licences of those packages. Nothing is minified, so that the stack in a report of a bug says where.
 */
const ROOT = join(import.meta.dirname, '..');
const DIRECTORY = join(ROOT, 'dist');

/** Packages in CommonJS call `require`, which a module of ECMAScript doesn't have. */
const REQUIRE = `import { createRequire as posternCreateRequire } from 'node:module';
const require = posternCreateRequire(import.meta.url);`;

/** Folders of the packages that went into a bundle, such as `node_modules/jose`, in order. */
function packagesOf(meta: Metafile): readonly string[] {
  const folders = Object.keys(meta.inputs).flatMap((input) => {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
    return folder === undefined ? [] : [folder];
  });
  return [...new Set(folders)].sort();
}

function licence(folder: string): string {
  const files = readdirSync(join(ROOT, folder)).filter((name) => /^(licen[cs]e|notice)/i.test(name));
  const texts = files.map((name) => readFileSync(join(ROOT, folder, name), 'utf8').trim());
  return [`== ${folder.replace(/^.*node_modules\//, '')}`, ...texts].join('\n\n');
}

const { metafile } = await build({
  entryPoints: [join(ROOT, 'src', 'main.ts')],
  outfile: join(DIRECTORY, 'postern.mjs'),
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  legalComments: 'none',
  banner: { js: REQUIRE },
  logLevel: 'warning',
  metafile: true,
});
chmodSync(join(DIRECTORY, 'postern.mjs'), 0o755);
writeFileSync(join(DIRECTORY, 'licenses.txt'), `${packagesOf(metafile).map(licence).join('\n\n')}\n`);
