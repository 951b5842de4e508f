import type { Dispatcher } from 'undici';
import { Agents } from './agents.ts';
import { type ApiRequest, type ApiResponse, ApiUnreachable, type KubernetesApi } from './api.ts';
import { type Access, type Credentials, openCredentials } from './credentials.ts';
import { deadline } from './deadline.ts';
import { readJson, readLines, retryAfter, unreachable } from './response.ts';

export interface ApiConfig {
  /** A kubeconfig file (its current context); undefined: the ServiceAccount of the Pod. */
  readonly kubeconfig?: string | undefined;
  /** In front of /var/run/secrets/kubernetes.io/serviceaccount; for tests. */
  readonly root?: string;
  readonly observer?: ApiObserver;
  /** Milliseconds of a monotonic clock. */
  now?(): number;
}

/** Calls, as metrics see them. What these throw changes nothing. */
export interface ApiObserver {
  /** `verb`: `get`, `post`, `put`, `patch`, `delete` or `watch`; `code`: 0 where there was no answer; `bytes` of the body. */
  called(verb: string, code: number, bytes: number): void;
  /** Bytes of the lines of a watch, as they come. */
  watched?(bytes: number): void;
  /** Token, CA or certificate can't be read at the moment; those from before are used. */
  credentialsStale?(cause: string): void;
}

export type OpenedApi =
  | {
      readonly ok: true;
      readonly api: KubernetesApi;
      /** That of the ServiceAccount, or of the kubeconfig's context. */
      readonly namespace: string | undefined;
      /** Origin of the API server. */
      readonly server: string;
    }
  | { readonly ok: false; readonly message: string };

const TIMEOUT = 30_000;
/** A page of a list; what is larger is asked for in smaller pages (invariant 7). */
const MOST_BYTES = 48 * 2 ** 20;

/** Reads the configuration; reaches nobody yet. */
export async function openApi(config: ApiConfig = {}): Promise<OpenedApi> {
  const told = containedObserver(config.observer);
  try {
    const credentials = await openCredentials({
      kubeconfig: config.kubeconfig,
      root: config.root ?? '',
      now: config.now ?? (() => performance.now()),
      stale: told.credentialsStale,
    });
    const { server } = await credentials.access();
    const client = new Client(credentials, told);
    return { ok: true, api: client, namespace: credentials.namespace, server: server.origin };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return { ok: false, message: `the configuration for the API server can't be used: ${cause}` };
  }
}

class Client implements KubernetesApi {
  readonly #credentials: Credentials;
  readonly #told: Required<ApiObserver>;
  readonly #agents = new Agents();
  #closed = false;

  constructor(credentials: Credentials, told: Required<ApiObserver>) {
    this.#credentials = credentials;
    this.#told = told;
  }

  async call(request: ApiRequest): Promise<ApiResponse> {
    const verb = request.method.toLowerCase();
    const limit = deadline(request);
    try {
      const response = await this.#send(request, limit.signal, { headersTimeout: 0, bodyTimeout: 0 });
      const { body, bytes } = await readJson(response.body, MOST_BYTES);
      this.#answered(verb, response.statusCode, bytes);
      return { status: response.statusCode, retryAfter: retryAfter(response.headers), body };
    } catch (error) {
      this.#told.called(verb, 0, 0);
      throw unreachable(error, limit.passed());
    } finally {
      limit.end();
    }
  }

  async watch(request: ApiRequest & { readonly idle: number }): Promise<Awaited<ReturnType<KubernetesApi['watch']>>> {
    const limit = deadline(request);
    try {
      const response = await this.#send(request, limit.signal, {
        headersTimeout: Math.min(TIMEOUT, request.idle),
        bodyTimeout: request.idle,
      });
      const { statusCode: status } = response;
      this.#answered('watch', status, 0);
      const after = retryAfter(response.headers);
      if (status === 200)
        return {
          status,
          retryAfter: after,
          body: undefined,
          lines: readLines(response.body, limit, this.#told.watched),
        };
      const { body } = await readJson(response.body, 2 ** 20);
      limit.end();
      return { status, retryAfter: after, body, lines: NO_LINES };
    } catch (error) {
      limit.end();
      this.#told.called('watch', 0, 0);
      throw unreachable(error, limit.passed());
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#agents.close();
  }

  async #send(
    request: ApiRequest,
    signal: AbortSignal,
    timeouts: { readonly headersTimeout: number; readonly bodyTimeout: number },
  ): Promise<Dispatcher.ResponseData> {
    const access = await this.#access();
    if (this.#closed) throw new ApiUnreachable('the client was closed', 'Closed');
    signal.throwIfAborted();
    return await this.#agents.of(access).request({
      origin: access.server.origin,
      path: pathOf(access.server, request),
      method: request.method,
      headers: headersOf(access, request),
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal,
      ...timeouts,
    });
  }

  async #access(): Promise<Access> {
    try {
      return await this.#credentials.access();
    } catch (error) {
      const cause = error instanceof Error ? error.message : 'unknown cause';
      throw new ApiUnreachable(`the credentials for the API server can't be read: ${cause}`, 'Credentials');
    }
  }

  #answered(verb: string, status: number, bytes: number): void {
    if (status === 401) this.#credentials.refused();
    this.#told.called(verb, status, bytes);
  }
}

const NO_LINES: AsyncIterable<string> = {
  async *[Symbol.asyncIterator]() {},
};

function pathOf(server: URL, { path, query }: ApiRequest): string {
  const base = server.pathname.replace(/\/$/, '');
  const search = query === undefined ? '' : new URLSearchParams(query).toString();
  return search === '' ? base + path : `${base}${path}?${search}`;
}

const headersOf = (access: Access, request: ApiRequest): Record<string, string> => ({
  ...access.headers,
  accept: request.accept ?? 'application/json',
  'user-agent': 'postern',
  ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
});

function containedObserver(observer: ApiObserver | undefined): Required<ApiObserver> {
  const contained = (tell: () => void): void => {
    try {
      tell();
    } catch {
      // An observer is no reason to lose a call (F55).
    }
  };
  return {
    called: (verb, code, bytes) => contained(() => observer?.called(verb, code, bytes)),
    watched: (bytes) => contained(() => observer?.watched?.(bytes)),
    credentialsStale: (cause) => contained(() => observer?.credentialsStale?.(cause)),
  };
}
