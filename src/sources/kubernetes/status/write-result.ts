import type { ApiResponse } from '../api.ts';
import { answerText } from '../world.ts';

/** What became of a write, as metrics count it. */
export type WriteResult = 'written' | 'conflict' | 'forbidden' | 'gone' | 'refused' | 'failed' | 'unreachable';

export function resultOf(answer: ApiResponse): Exclude<WriteResult, 'unreachable'> {
  switch (answer.status) {
    case 200:
    case 201:
      return 'written';
    case 403:
      return 'forbidden';
    case 404:
      return 'gone';
    case 409:
      return 'conflict';
    default:
      return isRefusal(answer) ? 'refused' : 'failed';
  }
}

/** That the same body would be refused again. A field that an older CRD doesn't have is answered with 500. */
function isRefusal({ status, body }: ApiResponse): boolean {
  if (status === 500) return answerText(status, body).includes('failed to create typed patch object');
  return status === 400 || status === 413 || status === 415 || status === 422;
}
