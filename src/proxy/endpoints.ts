import type { NamespacedName } from '../resources/keys.ts';

/** A Pod, or what else serves a port of a core Service. `host`: IPv4, or IPv6 without brackets. */
export interface EndpointAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Where the endpoints behind a port of a core Service are, as of now: asked at each request, so that Pods come and go
 * without a new table. Empty where there is none. The same array as long as nothing changed.
 */
export interface EndpointDirectory {
  endpoints(service: NamespacedName, port: number): readonly EndpointAddress[];
}

/** Files mode: there is no cluster. */
export const NO_ENDPOINTS: EndpointDirectory = { endpoints: () => [] };
