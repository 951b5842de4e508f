import type { Forwarder } from '../../../src/proxy/forwarder.ts';
import { filesForwarder } from './files-forwarder.ts';

/** Every implementation; what holds for one holds for all. */
export const FORWARDERS: readonly (readonly [string, () => Forwarder])[] = [['sockets', filesForwarder]];
