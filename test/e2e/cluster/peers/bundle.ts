import { build } from 'esbuild';

/** Runs in the image's build: dist/peers.mjs, with all that it needs. */
await build({
  entryPoints: ['test/e2e/cluster/peers/main.ts'],
  outfile: 'dist/peers.mjs',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
  logLevel: 'warning',
});
