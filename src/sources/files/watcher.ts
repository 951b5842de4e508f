import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Hears of changes in directories, as far as the system tells; what it misses, the poll finds. */
export interface DirectoryWatcher {
  /** Watches exactly these from now on. Says whether that works for all of them. */
  follow(directories: ReadonlySet<string>): Promise<boolean>;
  close(): void;
}

interface Watched {
  /** A directory that was deleted and made anew has the same name; what is watched is the old one. */
  readonly identity: string;
  readonly watcher: FSWatcher;
}

/** `changed` is also called where a watch was added: what happened before it stood was not heard. It can't throw. */
export function watchDirectories(changed: () => void): DirectoryWatcher {
  const watched = new Map<string, Watched>();
  let closed = false;

  const forget = (directory: string): void => {
    watched.get(directory)?.watcher.close();
    watched.delete(directory);
  };

  const add = async (directory: string): Promise<boolean> => {
    try {
      const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
      const identity = `${dev}:${ino}:${birthtimeNs}`;
      if (watched.get(directory)?.identity === identity) return true;
      forget(directory);
      if (closed) return true;
      const watcher = watch(directory, { persistent: false }, changed);
      // The directory went, or the system has no watches left.
      watcher.on('error', () => {
        if (watched.get(directory)?.watcher === watcher) forget(directory);
        changed();
      });
      watched.set(directory, { identity, watcher });
      changed();
      return true;
    } catch {
      forget(directory);
      return false;
    }
  };

  return {
    async follow(wanted) {
      for (const directory of [...watched.keys()]) if (!wanted.has(directory)) forget(directory);
      let complete = true;
      for (const directory of wanted) complete = (await add(directory)) && complete;
      return complete;
    },
    close() {
      closed = true;
      for (const directory of [...watched.keys()]) forget(directory);
    },
  };
}
