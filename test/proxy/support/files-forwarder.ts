import { NO_ENDPOINTS } from '../../../src/proxy/endpoints.ts';
import type { Forwarder } from '../../../src/proxy/forwarder.ts';
import type { ReachRules } from '../../../src/proxy/upstream/reach.ts';
import { createSocketForwarder } from '../../../src/proxy/upstream/socket-forwarder.ts';

/** Whoever writes the files may reach what this machine reaches. */
export const REACH_ANY: ReachRules = { urlBackends: { kind: 'Any' }, clusterDomain: '' };

/** As with `--files`: everything is reached but the listeners named. */
export const filesForwarder = (ownPorts: ReadonlySet<number> = new Set()): Forwarder =>
  createSocketForwarder({ ownPorts, endpoints: NO_ENDPOINTS, reach: REACH_ANY });
