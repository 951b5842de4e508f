import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ASSETS, PROGRAM_NAMES, programPath } from './assets.ts';

/**
 * Parts of a test machine that npm does not bring. A suite that needs one is declared with
 * `describe.skipIf(chromium.missing)(`… ${chromium.why}`, …)`, so that a run without it says which part and how to get it,
 * and CI, which has them all, fails on any such skip.
 */
export interface Part {
  readonly name: string;
  /** Path of the program, or `` where it is missing. */
  readonly path: string;
  readonly missing: boolean;
  /** `` where the part is there, else `[skipped: needs …]`, to be put into the suite's title. */
  readonly why: string;
}

function part(name: string, programs: readonly string[], install: string): Part {
  const path = programs.map(find).find((found) => found !== '') ?? '';
  const missing = path === '';
  return { name, path, missing, why: missing ? `[skipped: needs ${name}, ${install}]` : '' };
}

function find(program: string): string {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const directory of directories) {
    const path = join(directory, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return '';
}

export const chromium = part('Chromium', ['chromium', 'chromium-browser'], 'apt-get install chromium');
export const nginx = part('nginx', ['nginx'], 'apt-get install nginx-light');
export const haproxy = part('haproxy', ['haproxy'], 'apt-get install haproxy');
export const apache = part('Apache', ['apache2'], 'apt-get install apache2');
export const lighttpd = part('lighttpd', ['lighttpd'], 'apt-get install lighttpd');
export const slowhttptest = part('slowhttptest', ['slowhttptest'], 'apt-get install slowhttptest');
export const prlimit = part('prlimit', ['prlimit'], 'apt-get install util-linux');
export const promtool = part('promtool', ['promtool'], 'apt-get install prometheus');
export const curl = part('curl', ['curl'], 'apt-get install curl');
export const h2load = part('h2load', ['h2load'], 'apt-get install nghttp2-client');
export const openssl = part('openssl', ['openssl'], 'apt-get install openssl');

const websocketsMissing = !existsSync('/usr/lib/python3/dist-packages/websockets');
/** Debian's Python, which has this library; another one in PATH may not. */
export const pythonWebsockets: Part = {
  name: 'python3-websockets',
  path: websocketsMissing ? '' : '/usr/bin/python3',
  missing: websocketsMissing,
  why: websocketsMissing ? '[skipped: needs python3-websockets, apt-get install python3-websockets]' : '',
};

const missingAsset = PROGRAM_NAMES.some((name) => programPath(name) === '');
/** kube-apiserver, etcd and kubectl; `path` is their folder. */
export const apiserver: Part = {
  name: 'a Kubernetes API server',
  path: missingAsset ? '' : ASSETS,
  missing: missingAsset,
  why: missingAsset ? '[skipped: needs a Kubernetes API server, npm run test:assets]' : '',
};
