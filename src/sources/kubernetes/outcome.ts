import { ApiUnreachable } from './api.ts';
import { messageOf } from './watch-event.ts';

/** How a list or a watch came to its end. `reason`: lower snake case, for metrics. */
export type Outcome =
  | { readonly kind: 'Listed'; readonly version: string }
  /** By the server, or because it was silent for too long. */
  | { readonly kind: 'Ended'; readonly reason: 'ended' | 'idle' }
  /** The version, or the page, is too old to go on from. */
  | { readonly kind: 'Gone'; readonly reason: 'gone' }
  | Failure;

export interface Failure {
  readonly kind: 'Failed';
  readonly reason: string;
  /** 0: no answer. 200: one that can't be used. */
  readonly code: number;
  /** For people. */
  readonly message: string;
  /** Milliseconds that the server asked for. */
  readonly retryAfter: number | undefined;
  /** It came within a stream that was opened well. */
  readonly inStream: boolean;
}

export const GONE: Outcome = { kind: 'Gone', reason: 'gone' };
export const ENDED: Outcome = { kind: 'Ended', reason: 'ended' };

export const failure = (
  reason: string,
  code: number,
  message: string,
  more: Partial<Pick<Failure, 'retryAfter' | 'inStream'>> = {},
): Failure => ({ kind: 'Failed', reason, code, message, retryAfter: undefined, inStream: false, ...more });

/** Any status but 200. */
export function refused(answer: {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: number | undefined;
}): Outcome {
  const { status, body, retryAfter } = answer;
  if (status === 410) return GONE;
  const message = messageOf(body) || `the API server answered with ${status}`;
  return failure(`status_${status}`, status, message, { retryAfter });
}

/** What a call threw; undefined: not what it may throw. */
export function unreached(error: unknown): Outcome | undefined {
  if (!(error instanceof ApiUnreachable)) return undefined;
  if (error.reason === 'Idle') return { kind: 'Ended', reason: 'idle' };
  if (error.reason === 'TooLarge') return failure('too_large', 200, error.message);
  return failure('unreachable', 0, error.message);
}
