/**
 * A gRPC client reads `grpc-status` and little else. The code for what would be an HTTP status (gRPC, "HTTP to gRPC Status Code
 * Mapping").
 */
function grpcStatus(status: number): number {
  switch (status) {
    case 400:
      return INTERNAL;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return UNKNOWN;
  }
}

const UNKNOWN = 2;
const INTERNAL = 13;

/** Whether it is gRPC itself; gRPC-Web has its trailers in the body and lives with HTTP statuses. */
export const isGrpc = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/grpc(?:[+;]|$)/i.test(contentType);

/**
 * Headers of an answer that is an error to a gRPC client ("Trailers-Only"): the words are for whoever reads the client's log.
 * `message`: visible ASCII.
 */
export const grpcHeaders = (status: number, message: string): readonly string[] => [
  'Content-Type',
  'application/grpc',
  'grpc-status',
  String(grpcStatus(status)),
  'grpc-message',
  message.replaceAll('%', '%25'),
];
