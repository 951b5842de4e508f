import { type ApiRequest, type ApiResponse, ApiUnreachable, type KubernetesApi } from '../api.ts';
import type { Timers } from '../world.ts';

/**
 * The answer within `timeout` milliseconds and before `signal` aborts, else ApiUnreachable: whatever the client does, no
 * call holds the next one up.
 */
export function callInTime(
  api: KubernetesApi,
  timers: Timers,
  request: ApiRequest,
  timeout: number,
  signal?: AbortSignal,
): Promise<ApiResponse> {
  if (signal?.aborted === true) return Promise.reject(new ApiUnreachable('ended'));
  const late = Promise.withResolvers<never>();
  const ending = new AbortController();
  const give = (why: string) => {
    ending.abort();
    late.reject(new ApiUnreachable(why));
  };
  const cancel = timers.after(timeout, () => give(`no answer within ${timeout} ms`));
  const onAbort = () => give('ended');
  signal?.addEventListener('abort', onAbort, { once: true });
  const answer = api.call({ ...request, timeout, signal: ending.signal });
  // The loser of the race is nobody's any more.
  answer.catch(() => {});
  return Promise.race([answer, late.promise]).finally(() => {
    cancel();
    signal?.removeEventListener('abort', onAbort);
  });
}
