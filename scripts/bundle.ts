import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

/**
 * `npm run bundle` writes dist/postern.mjs: the program and every package that it uses, in one file that Node runs as it is,
 * and dist/licenses.txt, the licences of those packages. Nothing is minified, so that the stack in a report of a bug says where.
 */
const ROOT = join(import.meta.dirname, '..');
const DIRECTORY = join(ROOT, 'dist');

/** Packages in CommonJS call `require`, which a module of ECMAScript doesn't have. */
const REQUIRE = `import { createRequire as posternCreateRequire } from 'node:module';
const require = posternCreateRequire(import.meta.url);`;

/**
 * Of @kubernetes/client-node only KubeConfig is used (test/architecture/bundle.test.ts holds that). The package says of none of its
 * modules that they have no side effects, so 16 MB of generated API classes would come along, and cost 40 MB of memory.
 */
const KUBERNETES_CLIENT = join(ROOT, 'node_modules', '@kubernetes', 'client-node', 'dist');
const onlyKubeConfig: Plugin = {
  name: 'only KubeConfig',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({ path: 'KubeConfig', namespace: 'kubernetes' }));
    onLoad({ filter: /^KubeConfig$/, namespace: 'kubernetes' }, () => ({
      contents: "export { KubeConfig } from './config.js';",
      resolveDir: KUBERNETES_CLIENT,
    }));
    onResolve({ filter: /^\./ }, async ({ path, kind, resolveDir, importer, pluginData }) => {
      if (pluginData === RESOLVED || !resolveDir.startsWith(KUBERNETES_CLIENT)) return undefined;
      const found = await resolve(path, { kind, resolveDir, importer, pluginData: RESOLVED });
      return { ...found, sideEffects: false };
    });
  },
};
const RESOLVED = Symbol('resolved');

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

/** V8 keeps the source for the life of the process, with two bytes for each character where only one of them isn't Latin. */
const ascii = (source: string): string =>
  source.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const { metafile, outputFiles } = await build({
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
  plugins: [onlyKubeConfig],
  logLevel: 'warning',
  metafile: true,
  write: false,
});
mkdirSync(DIRECTORY, { recursive: true });
for (const { path, text } of outputFiles) writeFileSync(path, ascii(text));
chmodSync(join(DIRECTORY, 'postern.mjs'), 0o755);
writeFileSync(join(DIRECTORY, 'licenses.txt'), `${packagesOf(metafile).map(licence).join('\n\n')}\n`);
