import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { generateKey, parseKeyList } from '../keys/key-list.ts';
import { createKeyRing, type LiveKeyRing } from '../keys/live-ring.ts';
import type { PluginLog } from '../plugins/contract.ts';
import type { Checked } from '../resources/problem.ts';
import { watchDirectories } from '../sources/files/watcher.ts';
import { StartFailure } from './listen.ts';

export interface OpenKeys {
  readonly ring: LiveKeyRing;
  close(): void;
}

/** Milliseconds. A Secret that is mounted as a file changes by a swap of links, which is heard; the poll is for the rest. */
const SETTLE = 100;
const POLL = 5000;
const MAX_BYTES = 64 * 1024;

/**
 * The keys that seal sessions: of a file, which is read again when it changes, or one made now.
 * @throws StartFailure where the file can't be used.
 */
export async function openKeys(file: string | undefined, now: () => number, log: PluginLog): Promise<OpenKeys> {
  if (file === undefined) {
    log.warn(
      {},
      'a session key was made for this run: everybody has to log in again after a restart; --keys-file keeps it',
    );
    return { ring: createKeyRing([generateKey(now(), randomBytes)], now), close: () => {} };
  }
  const text = await readKeys(file);
  const keys = typeof text === 'string' ? parseKeyList(text) : undefined;
  if (keys === undefined || !keys.ok)
    throw new StartFailure(`--keys-file ${file}: ${keys === undefined ? "it can't be read" : reasons(keys)}`);
  const ring = createKeyRing(keys.value, now);
  log.info({ keys: ring.ids() }, `session keys read from ${file}`);
  return { ring, close: followKeys(file, typeof text === 'string' ? text : '', ring, log) };
}

/** What can't be read or is malformed keeps the keys that are there (F41), and is said once. Gives the way to stop. */
function followKeys(file: string, initial: string, ring: LiveKeyRing, log: PluginLog): () => void {
  let seen: string | undefined = initial;
  let soon: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    await watcher.follow(new Set([dirname(file)]));
    const text = await readKeys(file);
    if (text === seen) return;
    seen = text;
    const replaced = text === undefined ? undefined : ring.replace(text);
    if (replaced?.ok === true) log.info({ keys: replaced.value }, `session keys read again from ${file}`);
    else {
      const why = replaced === undefined ? "it can't be read" : reasons(replaced);
      log.error({}, `${file}: ${why} The keys from before stay in use.`);
    }
  };
  const lookSoon = (): void => {
    clearTimeout(soon);
    soon = setTimeout(() => void look(), SETTLE).unref();
  };
  const watcher = watchDirectories(lookSoon);
  const poll = setInterval(lookSoon, POLL).unref();
  lookSoon();
  return () => {
    clearTimeout(soon);
    clearInterval(poll);
    watcher.close();
  };
}

async function readKeys(file: string): Promise<string | undefined> {
  try {
    const stats = await stat(file);
    return stats.isFile() && stats.size <= MAX_BYTES ? await readFile(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

const reasons = (checked: Checked<unknown>): string =>
  checked.ok ? '' : checked.problems.map(({ message }) => message).join(' ');
