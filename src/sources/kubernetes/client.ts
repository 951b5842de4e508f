import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { type ApiRequest, type ApiResponse, ApiUnreachable, type KubernetesApi } from './api.ts';
import { type Access, type Credentials, openCredentials, type TlsIdentity } from './credentials.ts';
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
  /** One for all calls: a new connection for each would cost a TLS handshake for each. */
  #dispatcher: { readonly fingerprint: string; readonly agent: Dispatcher } | undefined;
  readonly #retired = new Set<Dispatcher>();
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
    const agents = [...this.#retired, ...(this.#dispatcher === undefined ? [] : [this.#dispatcher.agent])];
    this.#retired.clear();
    this.#dispatcher = undefined;
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  async #send(
    request: ApiRequest,
    signal: AbortSignal,
    timeouts: { readonly headersTimeout: number; readonly bodyTimeout: number },
  ): Promise<Dispatcher.ResponseData> {
    const access = await this.#access();
    if (this.#closed) throw new ApiUnreachable('the client was closed', 'Closed');
    signal.throwIfAborted();
    return await this.#agent(access).request({
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

  /** The shared one; a new one when a CA or a client certificate changed. Calls under way end on the old one. */
  #agent(access: Access): Dispatcher {
    const fingerprint = JSON.stringify([access.server.origin, access.tls, access.proxy ?? '']);
    if (this.#dispatcher?.fingerprint === fingerprint) return this.#dispatcher.agent;
    if (this.#dispatcher !== undefined) this.#retire(this.#dispatcher.agent);
    const agent = createAgent(access);
    this.#dispatcher = { fingerprint, agent };
    return agent;
  }

  #retire(agent: Dispatcher): void {
    this.#retired.add(agent);
    agent.close(() => this.#retired.delete(agent));
  }

  #answered(verb: string, status: number, bytes: number): void {
    if (status === 401) this.#credentials.refused();
    this.#told.called(verb, status, bytes);
  }
}

const NO_LINES: AsyncIterable<string> = {
  async *[Symbol.asyncIterator]() {},
};

/** HTTP/1.1: each watch has a connection of its own, so that one that hangs holds up no other. */
function createAgent({ tls, proxy }: Access): Dispatcher {
  // Probes find a peer that vanished without a FIN after 15 s + 10 × 1 s, whatever is sent or not (F04).
  const connect = { ...tlsOptions(tls), timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 15_000 };
  const options = { allowH2: false, pipelining: 1, keepAliveTimeout: 30_000 };
  return proxy === undefined
    ? new Agent({ ...options, connect })
    : new ProxyAgent({ ...options, uri: proxy, requestTls: tlsOptions(tls) });
}

const tlsOptions = ({ ca, cert, key, servername, verify }: TlsIdentity) => ({
  ...(ca === undefined ? {} : { ca }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key }),
  ...(servername === undefined ? {} : { servername }),
  rejectUnauthorized: verify,
});

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

/** Aborts when the time is over, or when the caller does. */
function deadline(request: ApiRequest): Deadline {
  const controller = new AbortController();
  let passed = false;
  const timer = setTimeout(() => {
    passed = true;
    controller.abort();
  }, request.timeout ?? TIMEOUT);
  const follow = (): void => controller.abort();
  if (request.signal?.aborted === true) follow();
  request.signal?.addEventListener('abort', follow);
  return {
    signal: controller.signal,
    passed: () => passed,
    end() {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', follow);
    },
  };
}

export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether the time is over, rather than that the caller gave up. */
  passed(): boolean;
  end(): void;
}

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
