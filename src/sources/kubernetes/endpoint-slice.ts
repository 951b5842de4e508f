import { isEndpointAddress } from '../../resources/address-policy.ts';
import { addressBits, canonicalAddress, isIpv4 } from '../../resources/ip.ts';
import { own } from '../../resources/plain.ts';

/** What the API server holds a slice to; whatever is beyond was not checked by it and is not looked at (invariant 7). */
const MAX_ENDPOINTS = 1000;
const MAX_PORTS = 100;

/** One EndpointSlice (discovery.k8s.io/v1), as far as balancing needs it. */
export interface EndpointSlice {
  /** Name of the core Service, of the slice's own namespace. */
  readonly service: string;
  /** Number of each named TCP port; `''` is the port without a name. */
  readonly ports: ReadonlyMap<string, number>;
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SliceEndpoint {
  /** IPv4, or IPv6 in the form of RFC 5952. */
  readonly host: string;
  readonly family: 4 | 6;
  /** What serves there: a Pod has one endpoint in a slice of each family. */
  readonly who: string;
  readonly ready: boolean;
  /** Still answers, and will go: what is left where nothing is ready. */
  readonly leaving: boolean;
}

/** A slice that can't be read, or belongs to no Service, is undefined; an endpoint that can't be read, or may be nobody's (A174), is left out. */
export function readEndpointSlice(value: unknown): EndpointSlice | undefined {
  const service = own(own(own(value, 'metadata'), 'labels'), 'kubernetes.io/service-name');
  const family = FAMILIES.get(own(value, 'addressType'));
  if (typeof service !== 'string' || service === '' || service.includes('/') || family === undefined) return undefined;
  const endpoints = listOf(own(value, 'endpoints'), MAX_ENDPOINTS).flatMap(
    (entry) => readEndpoint(entry, family) ?? [],
  );
  return { service, ports: tcpPorts(own(value, 'ports'), (name, port) => [name, port]), endpoints };
}

/** The numbers under which a core Service (v1) offers TCP, each with its port's name; none where it is but a name in DNS. */
export function readServicePorts(value: unknown): ReadonlyMap<number, string> {
  const spec = own(value, 'spec');
  if (own(spec, 'type') === 'ExternalName') return new Map();
  return tcpPorts(own(spec, 'ports'), (name, port) => [port, name]);
}

/** The addresses of the Service itself, in canonical form. */
export function readClusterAddresses(value: unknown): readonly string[] {
  const spec = own(value, 'spec');
  return [own(spec, 'clusterIP'), ...listOf(own(spec, 'clusterIPs'), 2)].flatMap((address) =>
    typeof address === 'string' ? (canonicalAddress(address) ?? []) : [],
  );
}

const FAMILIES: ReadonlyMap<unknown, 4 | 6> = new Map([
  ['IPv4', 4],
  ['IPv6', 6],
]);

const listOf = (value: unknown, most: number): readonly unknown[] => (Array.isArray(value) ? value.slice(0, most) : []);

function readEndpoint(value: unknown, family: 4 | 6): SliceEndpoint | undefined {
  // The other addresses of an endpoint are the same thing again, and have no meaning that is agreed on.
  const [address] = listOf(own(value, 'addresses'), 1);
  // An IPv4 address that is written as IPv6 is of the other family, and would be a second spelling of one place.
  if (typeof address !== 'string' || !isOf(family, address) || !isEndpointAddress(address)) return undefined;
  const host = canonicalAddress(address);
  if (host === undefined) return undefined;
  const conditions = own(value, 'conditions');
  const target = own(value, 'targetRef');
  const who = [own(target, 'uid'), own(target, 'name')].find((id) => typeof id === 'string' && id !== '');
  // As kube-proxy takes them: what isn't said of an endpoint is that it is ready, and serving, and stays.
  return {
    host,
    family,
    who: typeof who === 'string' ? who : host,
    ready: own(conditions, 'ready') !== false,
    leaving: own(conditions, 'serving') !== false && own(conditions, 'terminating') === true,
  };
}

const isOf = (family: 4 | 6, address: string): boolean =>
  family === 4 ? isIpv4(address) : addressBits(address)?.family === 6;

/** The first one of each key stands. */
function tcpPorts<K, V>(value: unknown, entry: (name: string, port: number) => [K, V]): ReadonlyMap<K, V> {
  const ports = new Map<K, V>();
  for (const one of listOf(value, MAX_PORTS)) {
    const [port, protocol, name] = [own(one, 'port'), own(one, 'protocol') ?? 'TCP', own(one, 'name') ?? ''];
    if (protocol !== 'TCP' || typeof name !== 'string' || !isPort(port)) continue;
    const [key, that] = entry(name, port);
    if (!ports.has(key)) ports.set(key, that);
  }
  return ports;
}

const isPort = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
