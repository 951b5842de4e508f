import type { Condition } from '../status/stored.ts';

/** What a person who looks at an object wants to have seen happen. */
export interface Happening {
  readonly type: 'Normal' | 'Warning';
  /** Of the condition. */
  readonly reason: string;
  readonly note: string;
}

/** `Programmed` and `Ready` follow from these. */
const TOLD: ReadonlySet<string> = new Set(['Accepted', 'ResolvedRefs', 'ProviderReady', 'CertificateReady']);

/**
 * Conditions that turned False, or False for another reason, and those that were False and are True again. That a new
 * object is well is nothing to tell.
 */
export function happenings(before: ReadonlyMap<string, Condition>, after: readonly Condition[]): readonly Happening[] {
  const found: Happening[] = [];
  for (const { type, status, reason, message } of after) {
    if (!TOLD.has(type)) continue;
    const was = before.get(type);
    if (status === 'False' && (was?.status !== 'False' || was.reason !== reason)) {
      found.push({ type: 'Warning', reason, note: message === '' ? `${type} is False` : message });
    }
    if (status === 'True' && was?.status === 'False') {
      found.push({ type: 'Normal', reason, note: message === '' ? `${type} is True again` : message });
    }
  }
  return found;
}
