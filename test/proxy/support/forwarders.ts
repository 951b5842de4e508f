import type { Forwarder } from '../../../src/proxy/forwarder.ts';
import { createSocketForwarder } from '../../../src/proxy/upstream/socket-forwarder.ts';

/** Every implementation; what holds for one holds for all. */
export const FORWARDERS: readonly (readonly [string, () => Forwarder])[] = [['sockets', () => createSocketForwarder()]];
