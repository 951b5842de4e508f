import { isEndpointAddress } from '../../resources/address-policy.ts';
import { canonicalAddress } from '../../resources/ip.ts';
import {
  type EndpointSlice,
  readClusterAddresses,
  readEndpointSlice,
  readServicePorts,
  type SliceEndpoint,
} from './endpoint-slice.ts';

/** A Service is balanced over this many addresses at most; what is beyond them gets no traffic (invariant 7). */
const MAX_ADDRESSES = 5000;
const API_SERVER = 'default/kubernetes';

interface Address {
  /** IPv4, or IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Core Services and their EndpointSlices on one side, addresses to send requests to on the other. */
export interface Endpoints {
  /** `name`: `namespace/name`. `value`: the core Service as the API server gives it, undefined where it is gone. */
  service(name: string, value: unknown): void;
  /** `key`: `namespace/name` of the slice. `value`: the EndpointSlice, undefined where it is gone. */
  slice(key: string, value: unknown): void;
  /** An EndpointDirectory: as of now, and the same array as long as nothing changed. `port`: the Service's, not the Pod's. */
  endpoints(service: string, port: number): readonly Address[];
  /** Addresses of the API server, as far as they are known, canonical: no `url` leads there (A174). */
  apiServerAddresses(): ReadonlySet<string>;
}

/** What is known of one core Service. */
interface Entry {
  /** Names of its ports by number; undefined: there is no such Service. */
  ports: ReadonlyMap<number, string> | undefined;
  readonly slices: Map<string, EndpointSlice>;
  /** Answers to what was asked, kept up to date with every change, so that asking costs no more than two look-ups. */
  readonly answers: Map<number, readonly Address[]>;
}

const NONE: readonly Address[] = Object.freeze([]);

/**
 * Follows Services through their EndpointSlices as kube-proxy does: ready endpoints, or where there is none those that
 * leave but still serve. Independent of the order in which objects come; what can't be read is as if it weren't there.
 * `server`: where this process itself reaches the API server, which is all that is known of it where `default` isn't watched.
 */
export function createEndpoints(server?: Address): Endpoints {
  const entries = new Map<string, Entry>();
  /** Which Service each slice is of: a label can change. */
  const serviceOf = new Map<string, string>();
  let clusterAddresses: readonly string[] = [];
  let apiServer = apiServerOf(server, undefined, clusterAddresses);

  const entryOf = (name: string): Entry => {
    let entry = entries.get(name);
    if (entry === undefined) {
      entry = { ports: undefined, slices: new Map(), answers: new Map() };
      entries.set(name, entry);
    }
    return entry;
  };
  const renew = (entry: Entry): void => {
    for (const [port, before] of entry.answers)
      entry.answers.set(port, sameOr(before, addresses(entry, port, apiServer)));
  };
  const changed = (name: string): void => {
    const entry = entries.get(name);
    if (entry === undefined) return;
    if (name === API_SERVER) {
      apiServer = apiServerOf(server, entry, clusterAddresses);
      for (const each of entries.values()) renew(each);
    } else {
      renew(entry);
    }
    if (entry.ports === undefined && entry.slices.size === 0) entries.delete(name);
  };

  return {
    service(name, value) {
      if (value === undefined && !entries.has(name)) return;
      if (name === API_SERVER) clusterAddresses = readClusterAddresses(value);
      entryOf(name).ports = value === undefined ? undefined : readServicePorts(value);
      changed(name);
    },
    slice(key, value) {
      const slice = readEndpointSlice(value);
      const service = slice === undefined ? undefined : `${key.slice(0, key.indexOf('/'))}/${slice.service}`;
      const before = serviceOf.get(key);
      if (before !== undefined && before !== service) {
        serviceOf.delete(key);
        entries.get(before)?.slices.delete(key);
        changed(before);
      }
      if (slice === undefined || service === undefined) return;
      serviceOf.set(key, service);
      entryOf(service).slices.set(key, slice);
      changed(service);
    },
    endpoints(service, port) {
      const entry = entries.get(service);
      if (entry?.ports?.has(port) !== true) return NONE;
      const known = entry.answers.get(port);
      if (known !== undefined) return known;
      const found = addresses(entry, port, apiServer);
      entry.answers.set(port, found);
      return found;
    },
    apiServerAddresses: () => apiServer.hosts,
  };
}

/** The API server's Service: whatever port of its own addresses, and the very ports of the machines that it runs on. */
interface ApiServer {
  readonly hosts: ReadonlySet<string>;
  readonly virtual: ReadonlySet<string>;
  readonly ports: ReadonlySet<number>;
}

function apiServerOf(server: Address | undefined, entry: Entry | undefined, virtual: readonly string[]): ApiServer {
  const slices = [...(entry?.slices.values() ?? [])];
  const host = server === undefined ? undefined : canonicalAddress(server.host);
  // An API server on this very machine is no cluster's: everything on loopback would be closed with it.
  const own = host !== undefined && isEndpointAddress(host) ? [host] : [];
  return {
    hosts: new Set([...own, ...virtual, ...slices.flatMap(({ endpoints }) => endpoints.map(({ host }) => host))]),
    virtual: new Set(virtual),
    ports: new Set([
      ...(server === undefined ? [] : [server.port]),
      ...slices.flatMap(({ ports }) => [...ports.values()]),
    ]),
  };
}

const isApiServer = ({ hosts, virtual, ports }: ApiServer, host: string, port: number): boolean =>
  hosts.has(host) && (ports.has(port) || virtual.has(host));

interface Found extends Address {
  readonly endpoint: SliceEndpoint;
}

function addresses(entry: Entry, port: number, apiServer: ApiServer): readonly Address[] {
  const name = entry.ports?.get(port);
  if (name === undefined) return NONE;
  const all = [...entry.slices.keys()].sort().flatMap((key): readonly Found[] => {
    const slice = entry.slices.get(key);
    const number = slice?.ports.get(name);
    if (slice === undefined || number === undefined) return [];
    return slice.endpoints
      .filter(({ host }) => !isApiServer(apiServer, host, number))
      .map((endpoint) => ({ host: endpoint.host, port: number, endpoint }));
  });
  const ready = all.filter(({ endpoint }) => endpoint.ready);
  const usable = oncePerPod(ready.length > 0 ? ready : all.filter(({ endpoint }) => endpoint.leaving));
  return usable.length === 0 ? NONE : Object.freeze(usable.slice(0, MAX_ADDRESSES));
}

/** A Pod of both families is reached by IPv4; one that two slices hold, while it moves from one to the other, counts once. */
function oncePerPod(all: readonly Found[]): Address[] {
  const byPod = new Map<string, Found>();
  for (const one of all) {
    const who = `${one.endpoint.who} ${one.port}`;
    const before = byPod.get(who);
    if (before === undefined || (before.endpoint.family === 6 && one.endpoint.family === 4)) byPod.set(who, one);
  }
  const byPlace = new Map<string, Address>();
  for (const { host, port } of byPod.values()) byPlace.set(`${host} ${port}`, Object.freeze({ host, port }));
  return [...byPlace.values()];
}

/** `before` where nothing changed, so that whoever keeps it sees that. */
function sameOr(before: readonly Address[], now: readonly Address[]): readonly Address[] {
  const same =
    before.length === now.length &&
    before.every(({ host, port }, at) => now[at]?.host === host && now[at].port === port);
  return same ? before : now;
}
