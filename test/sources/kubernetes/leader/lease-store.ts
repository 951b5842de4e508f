import { own } from '../../../../src/resources/plain.ts';
import {
  type ApiRequest,
  type ApiResponse,
  ApiUnreachable,
  type KubernetesApi,
} from '../../../../src/sources/kubernetes/api.ts';
import type { Timers } from '../../../../src/sources/kubernetes/world.ts';

/** One Lease as an API server keeps it: every write names the version that it replaces. */
export interface LeaseStore {
  handle(request: ApiRequest): ApiResponse;
  /** Undefined: there is none. */
  current(): Record<string, unknown> | undefined;
  holder(): unknown;
  remove(): void;
  /** Requests so far: `PUT 200`. */
  readonly log: string[];
}

const answer = (status: number, body: unknown): ApiResponse => ({ status, body, retryAfter: undefined });

export function leaseStore(): LeaseStore {
  let version = 0;
  let stored: Record<string, unknown> | undefined;
  const log: string[] = [];
  const write = (body: unknown): unknown => {
    version += 1;
    const metadata = { namespace: 'postern', name: 'postern', uid: 'u', resourceVersion: String(version) };
    stored = structuredClone({ spec: own(body, 'spec'), metadata });
    return stored;
  };
  const decide = ({ method, body }: ApiRequest): ApiResponse => {
    if (method === 'POST') return stored === undefined ? answer(201, write(body)) : answer(409, {});
    if (stored === undefined) return answer(404, {});
    if (method === 'GET') return answer(200, stored);
    const read = own(own(body, 'metadata'), 'resourceVersion');
    return read === own(own(stored, 'metadata'), 'resourceVersion') ? answer(200, write(body)) : answer(409, {});
  };
  return {
    handle(request) {
      const decided = structuredClone(decide(request));
      log.push(`${request.method} ${decided.status}`);
      return decided;
    },
    current: () => stored,
    holder: () => own(own(stored, 'spec'), 'holderIdentity'),
    remove() {
      stored = undefined;
    },
    log,
  };
}

/** What happens to one request: milliseconds until the store sees it, and until its answer is back; or never. */
export interface Fate {
  readonly there: number | 'lost';
  readonly back: number | 'lost';
}

/** A client of the store over a network in which each request has its fate. */
export function networked(store: LeaseStore, timers: Timers, fate: () => Fate): KubernetesApi {
  return {
    call(request) {
      const { promise, resolve, reject } = Promise.withResolvers<ApiResponse>();
      const { there, back } = fate();
      request.signal?.addEventListener('abort', () => reject(new ApiUnreachable('aborted')));
      if (there === 'lost') return promise;
      // An aborted request may still reach the server.
      timers.after(there, () => {
        const decided = store.handle(request);
        if (back !== 'lost') timers.after(back, () => resolve(decided));
      });
      return promise;
    },
    watch: () => Promise.reject(new Error('no watches here')),
    close: () => Promise.resolve(),
  };
}
