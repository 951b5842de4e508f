import { type Milliseconds, milliseconds } from '../../../resources/duration.ts';

/** Longer than that nobody waits for a provider's word; what is down for a day may be back in an hour. */
const LONGEST = 10 * 60_000;

/** `Retry-After` (RFC 9110 section 10.2.3) in milliseconds from `now`; 0 where it says nothing that can be read. */
export function retryAfter(text: string | undefined, now: number): Milliseconds {
  if (text === undefined) return milliseconds(0);
  const wait = /^[0-9]{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return milliseconds(Number.isFinite(wait) ? Math.min(Math.max(wait, 0), LONGEST) : 0);
}
