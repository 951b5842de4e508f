/** One call to the API server. `path` is absolute (`/apis/postern.dev/v1alpha1/routes`), `query` is not encoded yet. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** For PATCH: the API server takes no other one for server-side apply. */
  readonly contentType?: 'application/apply-patch+yaml' | 'application/merge-patch+json' | 'application/json';
  readonly accept?: string;
  /** Milliseconds for the whole call; 30 s where absent. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  /** What the server said of when to come again (`Retry-After`), milliseconds. */
  readonly retryAfter: number | undefined;
  /** The JSON body; undefined where there is none or it is no JSON. */
  readonly body: unknown;
}

export interface ApiStream {
  readonly status: number;
  readonly retryAfter: number | undefined;
  /** Body of a status other than 200, as far as it could be read. */
  readonly body: unknown;
  /** Lines of a watch, in order; ends when the server ends it, throws ApiUnreachable when the connection breaks. */
  readonly lines: AsyncIterable<string>;
}

/**
 * The API server, as every part that talks to it sees it: any status is an answer; only a server that couldn't be reached, or
 * said nothing in time, is an exception (ApiUnreachable).
 */
export interface KubernetesApi {
  call(request: ApiRequest): Promise<ApiResponse>;
  /** `idle`: milliseconds without a byte after which the connection is taken for dead (F04). */
  watch(request: ApiRequest & { readonly idle: number }): Promise<ApiStream>;
  /** Ends the connections that are kept. */
  close(): Promise<void>;
}

/** No answer: not reached, cut, too slow, or larger than is read. Never carries a token. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
  readonly reason: UnreachableReason;

  constructor(message: string, reason: UnreachableReason = 'Connection') {
    super(message);
    this.reason = reason;
  }
}

/** `Idle`: a watch without a byte for as long as the caller said. `Credentials`: they can't be read, so nothing was sent. */
export type UnreachableReason = 'Connection' | 'Timeout' | 'Idle' | 'TooLarge' | 'Credentials' | 'Closed';
