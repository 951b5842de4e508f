import { milliseconds } from '../../../resources/duration.ts';

/** How long a login waits for the very first answer. */
const PATIENCE = milliseconds(2000);

/** What a login waits for while nothing is known of the provider, all of them for the same. */
export function firstAnswerOf(world: { startTimer(ms: number, run: () => void): () => void }): {
  pending(): Promise<void> | undefined;
  came(): void;
} {
  const waited = Promise.withResolvers<void>();
  let over = false;
  let cancel: (() => void) | undefined;
  const came = (): void => {
    over = true;
    cancel?.();
    waited.resolve();
  };
  return {
    came,
    pending() {
      if (over) return undefined;
      cancel ??= world.startTimer(PATIENCE, came);
      return waited.promise;
    },
  };
}
