import type { ApiRequest } from './api.ts';

export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether the time is over, rather than that the caller gave up. */
  passed(): boolean;
  end(): void;
}

const TIMEOUT = 30_000;

/** Aborts when the time is over, or when the caller does. */
export function deadline(request: ApiRequest): Deadline {
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
