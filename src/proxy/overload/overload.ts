/** What there is too little of. Label of a metric. */
export type OverloadCause = 'memory' | 'loop_delay';

/**
 * Whether new work is refused. Two plain fields, so that a request pays for no more than reading one. What is under way is
 * never cut: it is what frees the memory and the time.
 */
export interface Overload {
  /** New requests are answered 503; undefined: none is. */
  readonly shedding: OverloadCause | undefined;
  /** So little is left that not even connections are taken. */
  readonly refusing: boolean;
}

export const NEVER_OVERLOADED: Overload = { shedding: undefined, refusing: false };
