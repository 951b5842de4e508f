import type { ObjectKey } from '../resources/keys.ts';
import type { Verdict } from '../routing/snapshot.ts';
import type { Steps } from '../routing/steps.ts';
import { sameVerdict } from '../routing/verdicts.ts';

type Verdicts = ReadonlyMap<ObjectKey, Verdict>;

/** Verdicts that are looked at between two steps, where most are the same values as before. */
const STRIDE = 64;

/** Keys of verdicts that are new, say something else, or are gone. */
export function* changedVerdicts(before: Verdicts, after: Verdicts): Steps<readonly ObjectKey[]> {
  const changed: ObjectKey[] = [];
  let looked = 0;
  let kept = 0;
  for (const [key, verdict] of after) {
    if (++looked % STRIDE === 0) yield;
    const was = before.get(key);
    if (was !== undefined) kept += 1;
    if (was !== verdict && (was === undefined || !sameVerdict(was, verdict))) changed.push(key);
  }
  if (kept === before.size) return changed;
  for (const key of before.keys()) {
    if (++looked % STRIDE === 0) yield;
    if (!after.has(key)) changed.push(key);
  }
  return changed;
}
