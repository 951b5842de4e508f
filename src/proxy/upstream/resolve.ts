import { type LookupAddress, lookup, Resolver } from 'node:dns';

/** Every address of a name, or an error with a code of `dns.lookup`. */
export type Resolve = (
  name: string,
  found: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** As the system has it: its hosts file, its search list. Two names at a time, for each waits in a thread of its own. */
export const systemResolve: Resolve = (name, found) => lookup(name, { all: true }, found);

const TIMEOUT_MS = 2000;
const TRIES = 2;

/**
 * As DNS has it: a name is whole as it stands (the search list of a Pod would make `orders.shop` a name of the cluster), and
 * a name whose servers say nothing holds up no other, as it would in the system's resolver, where namespaces that don't
 * trust each other would wait for each other's. One question of each kind at a time for a name, whoever asks.
 * `servers`: the system's where absent.
 */
export function dnsResolve(servers?: readonly string[]): Resolve {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  const waiting = new Map<string, Parameters<Resolve>[1][]>();

  return (name, found) => {
    const others = waiting.get(name);
    if (others !== undefined) {
      others.push(found);
      return;
    }
    const all = [found];
    waiting.set(name, all);
    askBoth(resolver, name, (error, addresses) => {
      waiting.delete(name);
      for (const each of all) each(error, addresses);
    });
  };
}

/** IPv4 first; one family is enough. */
function askBoth(resolver: Resolver, name: string, found: Parameters<Resolve>[1]): void {
  let four: readonly LookupAddress[] | undefined;
  let six: readonly LookupAddress[] | undefined;
  let failure: NodeJS.ErrnoException | null = null;
  const done = (): void => {
    if (four === undefined || six === undefined) return;
    const addresses = [...four, ...six];
    if (addresses.length > 0) found(null, addresses);
    else found(failure ?? failureOf(name, 'ENODATA'), []);
  };
  resolver.resolve4(name, (error, addresses) => {
    failure ??= error === null ? null : failureOf(name, error.code);
    four = error === null ? addresses.map((address) => ({ address, family: 4 })) : [];
    done();
  });
  resolver.resolve6(name, (error, addresses) => {
    failure ??= error === null ? null : failureOf(name, error.code);
    six = error === null ? addresses.map((address) => ({ address, family: 6 })) : [];
    done();
  });
}

const KNOWN_TO_NOBODY: ReadonlySet<string | undefined> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/** Never the code of a connection: `ECONNREFUSED` would be the DNS server's, not the upstream's. */
function failureOf(name: string, code: string | undefined): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`DNS gives no address of ${name}: ${code ?? 'no reason'}`);
  error.code = KNOWN_TO_NOBODY.has(code) ? 'ENOTFOUND' : 'EAI_AGAIN';
  return error;
}
