import type { InstanceCheck, InstanceStatus } from '../../../routing/decision.ts';
import type { PluginLog } from '../../contract.ts';
import type { OidcConfig } from '../spec/config.ts';
import type { LookOutcome } from './preflight.ts';

/** One look that came to nothing says little of a provider that was well: nobody is turned away before the second. */
export function statusAfter(
  outcome: LookOutcome,
  before: InstanceStatus,
  failures: number,
  { issuer }: OidcConfig,
): InstanceStatus {
  if (outcome.ok) {
    return {
      status: 'True',
      reason: 'ProviderReady',
      message: `${issuer} answered, and has keys for ${outcome.algs.join(', ')}.`,
    };
  }
  const { reason, message } = outcome;
  const slipped = PASSING.has(reason) && before.status === 'True' && failures === 0;
  return slipped ? before : { status: 'False', reason, message };
}

/** What may be over at the next look, without anybody's doing. */
const PASSING: ReadonlySet<string> = new Set(['DiscoveryFailed', 'ProxyFailed']);

/** Once per change: a provider that is down all night is one line, not a thousand. */
export function report(before: InstanceStatus, after: InstanceStatus, config: OidcConfig, log: PluginLog): void {
  if (before.reason === after.reason && before.message === after.message) return;
  const fields = { issuer: config.issuer, reason: after.reason };
  if (after.status === 'True') log.info(fields, after.message);
  else log.warn(fields, after.message);
}

/** Each once, for those who have no status to look at; gives what stands now. */
export function warnings(
  before: readonly string[],
  checks: readonly InstanceCheck[],
  { issuer }: OidcConfig,
  log: PluginLog,
): readonly string[] {
  const now = checks.filter(({ result }) => result === 'Warning');
  for (const { name, message } of now) {
    if (!before.includes(message)) log.warn({ issuer, check: name }, message);
  }
  return now.map(({ message }) => message);
}
