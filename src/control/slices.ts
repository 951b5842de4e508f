import type { Steps } from '../routing/steps.ts';

export interface SliceOptions {
  /** Runs `run` in a later turn of the event loop, after what waits there. */
  nextTurn(run: () => void): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** How long a slice may hold the loop up, milliseconds; a single step that takes longer can't be cut. */
  readonly sliceMs: number;
}

export type Outcome<T> =
  | { readonly kind: 'Done'; readonly value: T }
  | { readonly kind: 'Failed'; readonly error: unknown };

/**
 * Does the work in slices, with turns of the event loop in between in which requests are served (F12, A163). `done` is called
 * once, unless the answer, which stops the work, was called before.
 */
export function runInSlices<T>(
  steps: Steps<T>,
  options: SliceOptions,
  done: (outcome: Outcome<T>) => void,
): () => void {
  let stopped = false;
  const slice = (): void => {
    if (stopped) return;
    const end = options.now() + options.sliceMs;
    const outcome = advance(steps, () => options.now() < end);
    if (outcome === undefined) options.nextTurn(slice);
    else done(outcome);
  };
  slice();
  return () => {
    stopped = true;
  };
}

/** Undefined: there is more to do. */
function advance<T>(steps: Steps<T>, mayGoOn: () => boolean): Outcome<T> | undefined {
  try {
    do {
      const step = steps.next();
      if (step.done === true) return { kind: 'Done', value: step.value };
    } while (mayGoOn());
    return undefined;
  } catch (error) {
    return { kind: 'Failed', error };
  }
}
