import { createSocketForwarder, type SocketForwarder } from '../../../src/proxy/upstream/socket-forwarder.ts';
import { REACH_ANY } from '../support/files-forwarder.ts';
import { type HandDirectory, handDirectory } from './support.ts';

export interface ObservedForwarder {
  readonly up: SocketForwarder;
  readonly directory: HandDirectory;
  /** What the forwarder told: `retried reset`, `ejected rate`, … */
  readonly told: string[];
}

export function observedForwarder(random?: () => number): ObservedForwarder {
  const directory = handDirectory();
  const told: string[] = [];
  const up = createSocketForwarder({
    ownPorts: new Set(),
    endpoints: directory,
    reach: REACH_ANY,
    ...(random === undefined ? {} : { random }),
    observer: {
      retried: (_service, cause) => told.push(`retried ${cause}`),
      notRetried: () => told.push('not retried'),
      ejected: (_service, cause) => told.push(`ejected ${cause}`),
      requestTimedOut: () => told.push('request timed out'),
    },
  });
  return { up, directory, told };
}
