import type { ObjectKey } from '../resources/keys.ts';
import type { InstanceStatus } from '../routing/decision.ts';
import type { Condition, Verdict } from '../routing/snapshot.ts';

/**
 * Conditions of a plugin with what its running instance says: `ProviderReady` stands after `ResolvedRefs`, and `Ready`
 * is as good as the worse of the two. Whether the provider is up changes neither `Accepted` nor `Programmed`, and so
 * never what is open (DESIGN: Exposure).
 * `status` undefined: no Protected Route names the plugin, so nothing runs.
 */
function withInstanceStatus(verdict: Verdict, status: InstanceStatus | undefined): Verdict {
  const ready: Condition = { type: 'ProviderReady', ...(status ?? NOT_USED) };
  const conditions: Condition[] = [];
  let placed = false;
  for (const condition of verdict.conditions) {
    if (!placed && AFTER_PROVIDER_READY.has(condition.type)) {
      conditions.push(ready);
      placed = true;
    }
    const worse = condition.type === 'Ready' && condition.status === 'True' && status !== undefined;
    conditions.push(worse && status.status !== 'True' ? { ...ready, type: 'Ready' } : condition);
  }
  if (!placed) conditions.push(ready);
  return { ...verdict, conditions };
}

/** Verdicts, those of plugins with their instance's word. `isPlugin`: whether a key is of a plugin kind. */
export function withInstanceStatuses(
  verdicts: ReadonlyMap<ObjectKey, Verdict>,
  isPlugin: (key: ObjectKey) => boolean,
  statusOf: (key: ObjectKey) => InstanceStatus | undefined,
): ReadonlyMap<ObjectKey, Verdict> {
  const out = new Map<ObjectKey, Verdict>();
  for (const [key, verdict] of verdicts) {
    out.set(key, isPlugin(key) ? withInstanceStatus(verdict, statusOf(key)) : verdict);
  }
  return out;
}

const NOT_USED: InstanceStatus = {
  status: 'Unknown',
  reason: 'NotUsed',
  message: 'No Protected Route names this plugin, so it is not running.',
};
const AFTER_PROVIDER_READY: ReadonlySet<string> = new Set(['Programmed', 'Ready']);
