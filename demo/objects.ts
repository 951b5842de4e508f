import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ports } from './ports.ts';

export interface WorkingCopy {
  /** The directory that the gateway watches. */
  readonly directory: string;
  /** Where the copy of an earlier start went, which somebody had edited; undefined where there was none. */
  readonly kept: string | undefined;
}

/**
 * A fresh copy of the example objects with this start's ports in it, at `<under>/objects`. One that was edited goes to
 * `objects.old`, in place of an older one there.
 */
export function copyObjects(examples: string, under: string, ports: Ports): WorkingCopy {
  const directory = join(under, 'objects');
  const fresh = new Map([...readFiles(examples)].map(([name, text]) => [name, withPorts(text, ports)] as const));
  const before = readFiles(directory);
  const edited = before.size > 0 && !sameFiles(before, fresh);
  const old = join(under, 'objects.old');
  if (edited) {
    rmSync(old, { recursive: true, force: true });
    renameSync(directory, old);
  }
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of fresh) writeFileSync(join(directory, name), text);
  return { directory, kept: edited ? old : undefined };
}

function readFiles(directory: string): ReadonlyMap<string, string> {
  try {
    const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
    return new Map(files.map(({ name }) => [name, readFileSync(join(directory, name), 'utf8')]));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
    throw error;
  }
}

const sameFiles = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([name, text]) => withoutPorts(b.get(name) ?? '') === withoutPorts(text));

/** Another start had other ports, which nobody edited. */
const withoutPorts = (text: string): string => text.replace(/(http:\/\/(?:localhost|127\.0\.0\.1)):[0-9]+/g, '$1');

/** The examples are written for the default ports. */
const withPorts = (text: string, ports: Ports): string =>
  text
    .replaceAll('http://localhost:8080', `http://localhost:${ports.gateway}`)
    .replaceAll('http://127.0.0.1:8081', `http://127.0.0.1:${ports.provider}`)
    .replaceAll('http://127.0.0.1:8082', `http://127.0.0.1:${ports.service}`);
