import type { OutgoingRequest } from '../forwarder.ts';

/**
 * The head of a request to an upstream, latin1, with framing and connection management of our own (invariant 4): one of
 * Content-Length and chunked, whatever the method (A064, A065), and no Connection line, since HTTP/1.1 keeps alive.
 * The target is concatenated to the base path, never resolved against it (A016).
 */
export function requestHead(request: OutgoingRequest): string {
  const { framing } = request;
  const head = `${request.method} ${request.upstream.policy.basePath}${request.target} HTTP/1.1\r\n${request.headers}`;
  switch (framing.kind) {
    case 'None':
      // The gate lets no other method, and no body, go with one.
      if (request.upgrade !== undefined) return `${head}connection: upgrade\r\nupgrade: ${request.upgrade}\r\n\r\n`;
      // A server may wait for a body after these methods unless it is told that there is none (RFC 9110 section 8.6).
      return request.method === 'POST' || request.method === 'PUT' || request.method === 'PATCH'
        ? `${head}content-length: 0\r\n\r\n`
        : `${head}\r\n`;
    case 'Length':
      return `${head}content-length: ${framing.bytes}\r\n\r\n`;
    case 'Chunked':
      return `${head}transfer-encoding: chunked\r\n\r\n`;
  }
}
