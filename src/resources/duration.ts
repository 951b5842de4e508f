declare const checked: unique symbol;

/** A length of time in milliseconds, at least 0. */
export type Milliseconds = number & { readonly [checked]: 'Milliseconds' };

/** GEP-2257: up to four number-unit pairs. */
const DURATION = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;

const UNIT: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

export const milliseconds = (n: number): Milliseconds => n as Milliseconds;

/** `1h30m` to milliseconds; undefined where the text isn't a duration of GEP-2257. */
export function parseDuration(text: string): Milliseconds | undefined {
  if (!DURATION.test(text)) return undefined;
  let sum = 0;
  for (const [, digits, unit] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) sum += Number(digits) * (UNIT[unit ?? ''] ?? 0);
  return milliseconds(sum);
}

const LONGEST = 86_400_000;

/** A time-out that does something: from 1ms to 24h, so that timers neither fire at once nor overflow. */
export function parseTimeout(text: string): Milliseconds | undefined {
  const parsed = parseDuration(text);
  return parsed !== undefined && parsed >= 1 && parsed <= LONGEST ? parsed : undefined;
}

export const TIMEOUT_HINT = 'must be from 1ms to 24h';
