/**
 * How far the provider's clock is ahead, in milliseconds; negative: behind. From a `Date` header (RFC 9110 section 6.6.1),
 * which has whole seconds, and the times of this machine around the call. Undefined where the header says nothing.
 */
export function clockAhead(date: string | undefined, sentAt: number, receivedAt: number): number | undefined {
  if (date === undefined || !/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(date))
    return undefined;
  const time = Date.parse(date);
  return Number.isNaN(time) ? undefined : time + 500 - (sentAt + receivedAt) / 2;
}

/** How two clocks differ, in steps that are coarse enough to stand in a status. */
export interface ClockStep {
  readonly direction: 'ahead' | 'behind';
  /** Position in the table below. */
  readonly step: number;
}

const SECOND = 1000;
const MINUTE = 60_000;
const STEPS: readonly (readonly [from: number, words: string])[] = [
  [30 * SECOND, 'about a minute'],
  [90 * SECOND, 'about 2 minutes'],
  [4 * MINUTE, 'about 5 minutes'],
  [8 * MINUTE, 'about 10 minutes'],
  [20 * MINUTE, 'about half an hour'],
  [45 * MINUTE, 'about an hour'],
  [90 * MINUTE, 'more than an hour'],
];
/** A step is left only well below where it began, so that a clock at the border of two makes no status change at each look. */
const HOLD = 0.8;

/** Undefined: less than half a minute, which the answer's way may have taken. */
export function clockStep(ahead: number, before: ClockStep | undefined): ClockStep | undefined {
  const direction = ahead < 0 ? 'behind' : 'ahead';
  const held = before?.direction === direction ? before.step : -1;
  const step = STEPS.findLastIndex(([from], at) => Math.abs(ahead) >= (at <= held ? from * HOLD : from));
  return step < 0 ? undefined : { direction, step };
}

export const clockWords = ({ direction, step }: ClockStep): string =>
  `${STEPS[step]?.[1] ?? 'some time'} ${direction === 'ahead' ? 'ahead of' : 'behind'}`;
