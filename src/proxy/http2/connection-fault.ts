/**
 * What ended a connection, as far as it was the client's doing: label of a metric. Undefined where the socket broke, or the
 * client ended it with an error of its own.
 */
export function faultOf(error: NodeJS.ErrnoException): string | undefined {
  if (error.code === 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES') return 'h2_invalid_frames';
  if (error.code !== 'ERR_HTTP2_ERROR') return undefined;
  return BY_NUMBER[error.errno ?? 0] ?? 'h2_protocol';
}

/** Of nghttp2.h. */
const BY_NUMBER: Readonly<Record<number, string>> = {
  [-523]: 'h2_header_compression',
  [-524]: 'h2_flow_control',
  [-902]: 'h2_refused_streams',
  [-904]: 'h2_flood',
  [-905]: 'h2_settings',
};
