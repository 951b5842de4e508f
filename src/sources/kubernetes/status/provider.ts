import type { InstanceReport } from './report.ts';
import type { ShownProvider } from './stored.ts';

/** Milliseconds. A provider fails for so long before its condition turns, and another text stands so long before it is shown. */
const FAILING = 60_000;
/** One that failed again so soon after it came back is unstable ... */
const SOON = 10 * 60_000;
/** ... and has to work for so long before it is said to be ready again. */
const PROVEN = 5 * 60_000;
/** The first status about a generation waits so long for an instance that has only begun. */
const PATIENCE = 3000;

/** Since when an instance has said what it says; times of a monotonic clock. */
export interface Observation {
  readonly said: InstanceReport;
  /** Of its `status`. */
  readonly since: number;
  /** Of all that it says. */
  readonly textSince: number;
}

export function observe(before: Observation | undefined, said: InstanceReport, now: number): Observation {
  if (before === undefined || before.said.status !== said.status) return { said, since: now, textSince: now };
  if (!sameText(before.said, said)) return { said, since: before.since, textSince: now };
  return before;
}

/** Asked about every plugin at each publication. */
function sameText(a: InstanceReport, b: InstanceReport): boolean {
  if (a.reason !== b.reason || a.message !== b.message) return false;
  const [ours, theirs] = [a.checks ?? NO_CHECKS, b.checks ?? NO_CHECKS];
  return (
    ours === theirs ||
    (ours.length === theirs.length &&
      ours.every(({ name, result, message }, index) => {
        const other = theirs[index];
        return name === other?.name && result === other.result && message === other.message;
      }))
  );
}

const NO_CHECKS: NonNullable<InstanceReport['checks']> = [];

/** Whether time alone can still change what is to be shown. */
export const isUnsettled = ({ since, textSince }: Observation, now: number): boolean =>
  now - since <= PROVEN + FAILING || now - textSince <= SOON + FAILING;

/** What a leader remembers of the turns that it wrote. A new one remembers none, and errs towards writing once. */
export interface Turns {
  readonly recoveredAt: number | undefined;
  readonly unstable: boolean;
  /** When another text of the same status was last written. */
  readonly textAt: number | undefined;
}
export const NO_TURNS: Turns = { recoveredAt: undefined, unstable: false, textAt: undefined };

/** After a turn from `before` to `after` was written. */
export function turned(turns: Turns, before: ShownProvider | undefined, after: ShownProvider, now: number): Turns {
  if (before === undefined || before.observedGeneration !== after.observedGeneration) return NO_TURNS;
  if (before.status === 'True' && after.status === 'False') {
    return { ...turns, unstable: turns.recoveredAt !== undefined && now - turns.recoveredAt < SOON };
  }
  if (before.status === 'False' && after.status === 'True') return { ...turns, recoveredAt: now, unstable: false };
  return before.status === after.status && !sameText(before, after) ? { ...turns, textAt: now } : turns;
}

/**
 * What `ProviderReady` is to say, so that a provider that flaps writes one status and not a thousand:
 * - the first answer about a generation at once, whatever it is;
 * - nothing new while the instance hasn't decided, as that of a new leader, or one with a new secret;
 * - False only after a minute without success;
 * - True at once, unless it had failed again soon after the last time: then after five minutes without failure;
 * - another text after it stood for a minute, and once in ten minutes at most.
 * Undefined: no instance runs.
 */
export function providerToShow(
  shown: ShownProvider | undefined,
  generation: number | undefined,
  observation: Observation | undefined,
  turns: Turns,
  now: number,
): InstanceReport | undefined {
  if (observation === undefined) return undefined;
  const { said } = observation;
  if (shown === undefined || isFirst(shown, generation)) return said;
  if (said.status === 'Unknown') return shown;
  const lasted = now - observation.since;
  if (said.status === shown.status) {
    const often = turns.textAt !== undefined && now - turns.textAt < SOON;
    return now - observation.textSince >= FAILING && !often ? said : shown;
  }
  if (said.status === 'False') return lasted >= FAILING ? said : shown;
  return turns.unstable && lasted < PROVEN ? shown : said;
}

const isFirst = (shown: ShownProvider | undefined, generation: number | undefined): boolean =>
  shown === undefined || shown.observedGeneration !== generation || shown.status === 'Unknown';

/** Whether a status that is written now would be another one in a moment. */
export const isTooEarly = (
  shown: ShownProvider | undefined,
  generation: number | undefined,
  observation: Observation | undefined,
  now: number,
): boolean =>
  observation?.said.status === 'Unknown' && isFirst(shown, generation) && now - observation.since < PATIENCE;
