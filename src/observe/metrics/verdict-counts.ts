import type { Publication } from '../../control/control.ts';
import type { ObjectKey } from '../../resources/keys.ts';
import type { Verdict } from '../../routing/snapshot.ts';

export interface VerdictCounts {
  /** By lower case exposure; each is there. */
  readonly exposures: ReadonlyMap<string, number>;
  readonly kinds: readonly { readonly kind: string; readonly accepted: string; readonly number: number }[];
}

type Counted = Pick<Publication, 'verdicts' | 'changed'>;

/** Counts verdicts; from the second time on it looks at nothing but those that changed, for there may be thousands. */
export function verdictCounts(): (publication: Counted) => VerdictCounts {
  const groups = new Map<ObjectKey, string>();
  const numbers = new Map<string, number>();
  /** Each name once, though thousands of objects are of one group. */
  const names = new Map<string, string>();

  const add = (group: string, by: number): void => {
    numbers.set(group, (numbers.get(group) ?? 0) + by);
  };
  const count = (key: ObjectKey, verdict: Verdict | undefined): void => {
    const was = groups.get(key);
    if (was !== undefined) add(was, -1);
    groups.delete(key);
    if (verdict === undefined) return;
    const text = groupOf(verdict);
    const group = names.get(text) ?? text;
    names.set(group, group);
    groups.set(key, group);
    add(group, 1);
  };

  return ({ verdicts, changed }) => {
    for (const { key, after } of changed) count(key, after);
    // Who missed a publication begins anew.
    if (groups.size !== verdicts.size) {
      groups.clear();
      numbers.clear();
      for (const [key, verdict] of verdicts) count(key, verdict);
    }
    return sums(numbers);
  };
}

/** `Route true protected`. */
function groupOf({ key, conditions, exposure }: Verdict): string {
  const accepted = conditions.every(({ type, status }) => type !== 'Accepted' || status === 'True');
  return `${key.slice(0, key.indexOf('/'))} ${accepted} ${exposure?.toLowerCase() ?? ''}`;
}

function sums(numbers: ReadonlyMap<string, number>): VerdictCounts {
  const exposures = new Map([
    ['protected', 0],
    ['public', 0],
    ['denied', 0],
  ]);
  const kinds = new Map<string, { kind: string; accepted: string; number: number }>();
  for (const [group, number] of numbers) {
    const [kind = '', accepted = '', exposure = ''] = group.split(' ');
    if (number === 0) continue;
    const sum = kinds.get(`${kind} ${accepted}`) ?? { kind, accepted, number: 0 };
    sum.number += number;
    kinds.set(`${kind} ${accepted}`, sum);
    if (exposure !== '') exposures.set(exposure, (exposures.get(exposure) ?? 0) + number);
  }
  return { exposures, kinds: [...kinds.values()] };
}
