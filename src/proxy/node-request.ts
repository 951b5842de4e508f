import { type Agent, type ClientRequest, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP } from 'node:net';
import type { BackendUrl } from '../resources/resource.ts';
import type { OutgoingRequest } from './forwarder.ts';
import { lookupReachable } from './upstream/lookup.ts';

const MAX_RESPONSE_HEAD = 64 * 1024;

/** Begins a request of node:http's client. Throws on what can't be sent (T18). */
export function openRequest(out: OutgoingRequest, backend: BackendUrl, agent: Agent): ClientRequest {
  const { scheme, host, port, basePath } = backend;
  const options = {
    agent,
    host,
    port,
    method: out.method,
    // Concatenated to a fixed authority, never resolved against it: `//evil.example/` is a path (A016).
    path: basePath + out.target,
    headers: framedHeaders(out),
    lookup: lookupReachable,
    setHost: false,
    insecureHTTPParser: false,
    maxHeaderSize: MAX_RESPONSE_HEAD,
  };
  if (scheme === 'http') return requestPlain(options);
  return requestTls({ ...options, servername: isIP(host) === 0 ? host : '' });
}

/** Framing is set for every method: node:http writes none by itself for GET, HEAD, DELETE and OPTIONS (A064, A065, T13). */
function framedHeaders({ framing, headers, method }: OutgoingRequest): string[] {
  switch (framing.kind) {
    case 'Length':
      return [...headers, 'Content-Length', String(framing.bytes)];
    case 'Chunked':
      return [...headers, 'Transfer-Encoding', 'chunked'];
    case 'None':
      // RFC 9110 section 8.6: without it, a method that expects content leaves the upstream guessing.
      return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'DELETE'
        ? [...headers]
        : [...headers, 'Content-Length', '0'];
  }
}
