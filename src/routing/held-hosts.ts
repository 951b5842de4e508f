import type { HostPattern } from '../resources/hostname.ts';
import type { Ownership } from './host-owners.ts';
import type { CompileMode } from './options.ts';
import type { Steps } from './steps.ts';
import { widerWildcards } from './wildcards.ts';

/**
 * Hosts of entries whose namespace has nothing there, and nothing wider that would serve them: nobody puts a page onto a
 * host that is kept for somebody else, by a wildcard or by `*` (A177). In the table they are hosts without paths, also
 * while nobody has a wider one, so that no answer depends on what others apply.
 */
export function* heldHosts(
  mode: CompileMode,
  ownerOf: (host: string) => Ownership,
  served: Pick<ReadonlySet<string>, 'has'>,
): Steps<readonly HostPattern[]> {
  if (mode.kind === 'Files') return [];
  const held: HostPattern[] = [];
  const holders = new Map<string, string>();
  // A host that is held holds back what is wider for those below it too, so the widest come first.
  const widestFirst = [...mode.hostOwners].sort((a, b) => breadth(a.pattern) - breadth(b.pattern));
  const isThere = (host: string): boolean => holders.has(host) || served.has(host);
  const ownerAt = (host: string): string | undefined => {
    const ownership = ownerOf(host);
    return holders.get(host) ?? ('namespace' in ownership ? ownership.namespace : undefined);
  };
  for (const { pattern, namespace } of widestFirst) {
    yield;
    if (isThere(pattern) || pattern === '*') continue;
    const wider = [...widerWildcards(pattern), '*'].find(isThere);
    if (wider !== undefined && ownerAt(wider) === namespace) continue;
    holders.set(pattern, namespace);
    held.push(pattern);
  }
  return held;
}

const breadth = (pattern: HostPattern): number => (pattern.startsWith('*') ? pattern.length : Number.POSITIVE_INFINITY);
