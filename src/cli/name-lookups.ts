import { type LookupAddress, lookup } from 'node:dns';

/** Every address of a name, as the system knows it: hosts file and search list included. */
export type LookUp = (
  name: string,
  found: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

const systemLookUp: LookUp = (name, found) => lookup(name, { all: true }, found);

/** Of one namespace: a provider that is never found doesn't hold up the others there either. */
const AT_ONCE = 2;

interface Turns {
  running: number;
  readonly waiting: (() => void)[];
}

/**
 * The system's resolver asks few names at a time in a whole process (half of UV_THREADPOOL_SIZE), and waits ten seconds and
 * more for a name whose servers say nothing. So each namespace has two names looked up at a time: providers of one that are
 * never found take no other namespace's turn, and nobody else's login (invariant 8).
 */
export function lookUpsByNamespace(lookUp: LookUp = systemLookUp): (namespace: string) => LookUp {
  const all = new Map<string, Turns>();

  function proceed(namespace: string, turns: Turns): void {
    const run = turns.running < AT_ONCE ? turns.waiting.shift() : undefined;
    if (run === undefined) {
      if (turns.running === 0) all.delete(namespace);
      return;
    }
    turns.running += 1;
    run();
  }

  return (namespace) => (name, found) => {
    const turns = all.get(namespace) ?? { running: 0, waiting: [] };
    all.set(namespace, turns);
    turns.waiting.push(() =>
      lookUp(name, (error, addresses) => {
        turns.running -= 1;
        proceed(namespace, turns);
        found(error, addresses);
      }),
    );
    proceed(namespace, turns);
  };
}
