/** Far more than any application uses. */
const MAX_NAMES = 2048;
/** Longer names are looked at each time: of 2048 with 30 KB each, 60 MB would stay. */
const MAX_LENGTH = 64;

/**
 * Remembers what was found out about the spelling of a header's name. Bounded in number and in bytes, for whoever is on
 * the other side makes names up at will (A165, invariant 7).
 */
export function rememberNames<T>(findOut: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    if (name.length > MAX_LENGTH) return findOut(name);
    const own = copy(name);
    const found = findOut(own);
    if (known.size >= MAX_NAMES) known.clear();
    known.set(own, found);
    return found;
  };
}

/** A slice would keep the whole head that it was cut from alive. */
const copy = (text: string): string => Buffer.from(text, 'utf16le').toString('utf16le');
