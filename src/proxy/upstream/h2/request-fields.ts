import type { OutgoingHttpHeaders } from 'node:http2';
import type { OutgoingRequest } from '../../forwarder.ts';
import { fieldsFrom } from '../../http2/fields.ts';

/**
 * The head of a request as fields (RFC 9113 section 8.3.1): what went through the gate and came out as lines, the authority
 * among them. The target is concatenated to the base path, never resolved against it (A016).
 */
export function requestFields(request: OutgoingRequest, scheme: 'http' | 'https'): OutgoingHttpHeaders {
  const { framing } = request;
  const lines: string[] = [];
  let authority = '';
  for (const line of request.headers.split('\r\n')) {
    if (line === '') continue;
    const colon = line.indexOf(': ');
    const name = line.slice(0, colon);
    if (name === 'Host') authority = line.slice(colon + 2);
    else lines.push(name, line.slice(colon + 2));
  }
  const fields = fieldsFrom(lines);
  fields[':method'] = request.method;
  fields[':scheme'] = scheme;
  fields[':authority'] = authority;
  fields[':path'] = `${request.upstream.policy.basePath}${request.target}`;
  // gRPC asks whether everybody on the way knows trailers; we do.
  fields['te'] = 'trailers';
  if (framing.kind === 'Length') fields['content-length'] = String(framing.bytes);
  return fields;
}
