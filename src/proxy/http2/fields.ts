import type { OutgoingHttpHeaders } from 'node:http2';

/**
 * RFC 9113 section 8.2.2 and what is of one connection besides: never in an HTTP/2 message. Framing is the front's, so a
 * length that came with a message is not copied either.
 */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
  'content-length',
]);

/** Fields of a message or of its trailers, from names and values in turn: lower case, a name that repeats has a list. */
export function fieldsFrom(lines: readonly string[]): OutgoingHttpHeaders {
  // Without a prototype: a field may be called `constructor`, or `__proto__`.
  const fields: OutgoingHttpHeaders = Object.create(null);
  for (let i = 0; i < lines.length; i += 2) {
    const name = (lines[i] ?? '').toLowerCase();
    if (CONNECTION_FIELDS.has(name)) continue;
    const value = lines[i + 1] ?? '';
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else fields[name] = [String(before), value];
  }
  return fields;
}
