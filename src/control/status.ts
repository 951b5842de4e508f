import type { ObjectKey } from '../resources/keys.ts';
import type { InstanceStatus } from '../routing/decision.ts';
import type { Condition, Verdict } from '../routing/snapshot.ts';

/**
 * Conditions of a plugin with what its running instance says: `ProviderReady` stands after `ResolvedRefs`, and `Ready`
 * is as good as the worse of the two. Whether the provider is up changes neither `Accepted` nor `Programmed`, and so
 * never what is open (DESIGN: Exposure).
 * `status` undefined: nothing runs, for the plugin is invalid or no Protected Route names it.
 */
export function withProviderReady(
  conditions: readonly Condition[],
  status: Omit<Condition, 'type'> | undefined,
): readonly Condition[] {
  const { reason, message, status: state } = status ?? notRunning(conditions);
  const ready: Condition = { type: 'ProviderReady', status: state, reason, message };
  const joined: Condition[] = [];
  let placed = false;
  for (const condition of conditions) {
    if (!placed && AFTER_PROVIDER_READY.has(condition.type)) {
      joined.push(ready);
      placed = true;
    }
    const worse = condition.type === 'Ready' && condition.status === 'True' && status !== undefined;
    joined.push(worse && state !== 'True' ? { ...ready, type: 'Ready' } : condition);
  }
  if (!placed) joined.push(ready);
  return joined;
}

/** Verdicts, those of plugins with their instance's word. `isPlugin`: whether a key is of a plugin kind. */
export function withInstanceStatuses(
  verdicts: ReadonlyMap<ObjectKey, Verdict>,
  isPlugin: (key: ObjectKey) => boolean,
  statusOf: (key: ObjectKey) => InstanceStatus | undefined,
): ReadonlyMap<ObjectKey, Verdict> {
  const out = new Map<ObjectKey, Verdict>();
  for (const [key, verdict] of verdicts) {
    const conditions = isPlugin(key) ? withProviderReady(verdict.conditions, statusOf(key)) : verdict.conditions;
    out.set(key, { ...verdict, conditions });
  }
  return out;
}

const notRunning = (conditions: readonly Condition[]): InstanceStatus =>
  conditions.every(({ type, status }) => !OF_THE_OBJECT.has(type) || status === 'True') ? NOT_USED : NOT_USABLE;

const NOT_USED: InstanceStatus = {
  status: 'Unknown',
  reason: 'NotUsed',
  message: 'No Protected Route names this plugin, so it is not running.',
};
const NOT_USABLE: InstanceStatus = {
  status: 'Unknown',
  reason: 'Invalid',
  message: 'The provider is asked once the plugin is valid and what it refers to is there.',
};
const OF_THE_OBJECT: ReadonlySet<string> = new Set(['Accepted', 'ResolvedRefs']);
const AFTER_PROVIDER_READY: ReadonlySet<string> = new Set(['Programmed', 'Ready']);
