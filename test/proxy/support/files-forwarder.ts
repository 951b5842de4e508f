import { NO_ENDPOINTS } from '../../../src/proxy/endpoints.ts';
import type { Forwarder } from '../../../src/proxy/forwarder.ts';
import { REACH_ANY } from '../../../src/proxy/upstream/reach.ts';
import { createSocketForwarder } from '../../../src/proxy/upstream/socket-forwarder.ts';

/** As with `--files`: everything is reached but the listeners named. */
export const filesForwarder = (ownPorts: ReadonlySet<number> = new Set()): Forwarder =>
  createSocketForwarder({ ownPorts, endpoints: NO_ENDPOINTS, reach: REACH_ANY });
