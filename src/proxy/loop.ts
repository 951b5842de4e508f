/**
 * RFC 8586: each gateway that a request passes adds itself to `CDN-Loop`. A Service whose `url` leads back to Postern, by the
 * address of its own load balancer or another server between, would else send one request round until every connection is
 * taken, those of all other namespaces too (invariant 7). Not `Via`, for which servers leave compression out.
 */
const LOOP_HEADER = 'CDN-Loop';

const OURS = 'postern';

/** One Postern behind another is a set-up that makes sense, and perhaps one more. */
const MOST_PASSES = 3;

/** How often a request came through Postern, by one line of the header. */
export function passesIn(value: string): number {
  let passes = 0;
  for (const gateway of value.split(',')) if (gateway.split(';', 1)[0]?.trim() === OURS) passes += 1;
  return passes;
}

export const goesRound = (passes: number): boolean => passes >= MOST_PASSES;

/** The whole line, ended by CRLF. `before`: what was sent, its lines joined; `` where there was none. */
export const loopLine = (before: string): string => `${LOOP_HEADER}: ${before === '' ? '' : `${before}, `}${OURS}\r\n`;
