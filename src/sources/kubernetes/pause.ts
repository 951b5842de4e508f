import type { Timers } from './world.ts';

/** Waits for so many milliseconds, or until the signal aborts. Never rejects. */
export async function pause(ms: number, timers: Timers, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  const over = Promise.withResolvers<void>();
  const cancel = timers.after(ms, over.resolve);
  const stop = (): void => over.resolve();
  signal.addEventListener('abort', stop);
  await over.promise;
  signal.removeEventListener('abort', stop);
  cancel();
}
