import type { ObjectKey } from '../resources/keys.ts';
import type { Compiled, Verdict } from '../routing/snapshot.ts';
import type { Steps } from '../routing/steps.ts';
import { sameVerdict } from '../routing/verdicts.ts';

type Verdicts = ReadonlyMap<ObjectKey, Verdict>;

/** A verdict that is new (no `before`), says something else, or is gone (no `after`). */
export interface VerdictChange {
  readonly key: ObjectKey;
  readonly before: Verdict | undefined;
  readonly after: Verdict | undefined;
}

/** Verdicts that are looked at between two steps, where most are the same values as before. */
const STRIDE = 64;

/** From what was said before to what was compiled. */
export function* changedVerdicts(
  before: Verdicts,
  { verdicts: after, changed }: Pick<Compiled, 'verdicts' | 'changed'>,
): Steps<readonly VerdictChange[]> {
  const changes: VerdictChange[] = [];
  let looked = 0;
  for (const key of changed?.verdicts ?? new Set([...before.keys(), ...after.keys()])) {
    if (++looked % STRIDE === 0) yield;
    const [was, is] = [before.get(key), after.get(key)];
    if (was === is || (was !== undefined && is !== undefined && sameVerdict(was, is))) continue;
    changes.push({ key, before: was, after: is });
  }
  return changes;
}
