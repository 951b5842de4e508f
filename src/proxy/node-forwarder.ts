import { Agent as PlainAgent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Forwarder, ForwardResult, OutgoingRequest } from './forwarder.ts';
import { type AgentPair, NodeCall } from './node-call.ts';

export interface NodeForwarderOptions {
  /** PEM certificates that are trusted instead of the platform's. */
  readonly ca?: string;
}

/** Idle connections are closed after this long, ms: sooner than most servers do, so that few requests meet a dead one. */
const IDLE_CONNECTION = 15_000;
const IDLE_CONNECTIONS_PER_UPSTREAM = 256;

/** Forwarder on the client of node:http and node:https, with certificates verified (RFC 9110 section 4.3.4). */
export function createNodeForwarder(options: NodeForwarderOptions = {}): Forwarder {
  // The connection used last is the one least likely to be closed by its other end.
  const pooled = {
    keepAlive: true,
    scheduling: 'lifo',
    maxFreeSockets: IDLE_CONNECTIONS_PER_UPSTREAM,
    timeout: IDLE_CONNECTION,
  } as const;
  const tls = {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  } as const;
  const agents: Readonly<Record<'http' | 'https', AgentPair>> = {
    http: { pooled: new PlainAgent(pooled), fresh: new PlainAgent({ keepAlive: false }) },
    https: { pooled: new TlsAgent({ ...pooled, ...tls }), fresh: new TlsAgent({ keepAlive: false, ...tls }) },
  };
  return {
    forward(request: OutgoingRequest): Promise<ForwardResult> {
      const { backend } = request;
      if (backend.kind !== 'Url') {
        request.body?.cancel();
        return Promise.resolve({ kind: 'Failed', code: 'no_endpoint', cause: 'the service has no endpoint' });
      }
      return new Promise((resolve) => {
        new NodeCall(request, backend, agents[backend.scheme], resolve).start();
      });
    },
    close() {
      for (const { pooled: pool, fresh } of Object.values(agents)) {
        pool.destroy();
        fresh.destroy();
      }
    },
  };
}
