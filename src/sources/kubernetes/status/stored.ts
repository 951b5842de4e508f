import { own } from '../../../resources/plain.ts';
import type { InstanceCheck, InstanceReport, ReportedCondition } from './report.ts';

/** metav1.Condition. */
export interface Condition extends ReportedCondition {
  readonly observedGeneration: number | undefined;
  /** RFC 3339, seconds. */
  readonly lastTransitionTime: string;
}

/** Whether one version is from before the other; false where they can't be compared (KEP-5504: they are numbers). */
export function isOlder(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}

/** Those that have the shape of one; by type. */
export function readConditions(status: unknown): ReadonlyMap<string, Condition> {
  const list = own(status, 'conditions');
  const found = new Map<string, Condition>();
  for (const entry of Array.isArray(list) ? list : []) {
    const condition = readCondition(entry);
    if (condition !== undefined) found.set(condition.type, condition);
  }
  return found;
}

function readCondition(entry: unknown): Condition | undefined {
  const type = own(entry, 'type');
  const status = own(entry, 'status');
  const reason = own(entry, 'reason');
  const message = own(entry, 'message') ?? '';
  const generation = own(entry, 'observedGeneration');
  const time = own(entry, 'lastTransitionTime');
  if (typeof type !== 'string' || typeof reason !== 'string' || typeof message !== 'string') return undefined;
  if (status !== 'True' && status !== 'False' && status !== 'Unknown') return undefined;
  return {
    type,
    status,
    reason,
    message,
    observedGeneration: typeof generation === 'number' ? generation : undefined,
    lastTransitionTime: typeof time === 'string' ? time : '',
  };
}

export function readChecks(status: unknown): readonly InstanceCheck[] {
  const list = own(status, 'checks');
  return (Array.isArray(list) ? list : []).flatMap((entry: unknown) => {
    const [name, result, message] = [own(entry, 'name'), own(entry, 'result'), own(entry, 'message')];
    const whole = typeof name === 'string' && typeof result === 'string' && typeof message === 'string';
    return whole ? [{ name, result, message }] : [];
  });
}

/** Of a Route. */
export function readHosts(status: unknown): readonly string[] {
  const list = own(status, 'hosts');
  return (Array.isArray(list) ? list : []).filter((host: unknown) => typeof host === 'string');
}

/** What is shown of a plugin's provider, and of which generation of the plugin. */
export interface ShownProvider extends InstanceReport {
  readonly observedGeneration: number | undefined;
}

export function readProvider(status: unknown): ShownProvider | undefined {
  const found = readConditions(status).get('ProviderReady');
  if (found === undefined) return undefined;
  const { reason, message, observedGeneration } = found;
  return { status: found.status, reason, message, observedGeneration, checks: readChecks(status) };
}
