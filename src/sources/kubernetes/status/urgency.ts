import { readyOf, type StoredObject } from '../objects.ts';
import type { InstanceReport, ObjectReport } from './report.ts';

/**
 * Who waits for an answer, as a rank of the queue; the lower, the more urgent. The ranks take turns (FairQueue), so it is
 * being among few others that makes one fast: whatever else an installation or an upgrade has to say of everything.
 */
export const URGENCY = {
  /** Somebody just edited it, and something is wrong. */
  EditedAndWrong: 0,
  /** Somebody just edited it. */
  Edited: 1,
  /** Something is wrong, or well again, and that isn't said yet. */
  Turned: 2,
  /** It is new and well; or what was said already is said in other words. */
  Ordinary: 3,
} as const;
export type Urgency = (typeof URGENCY)[keyof typeof URGENCY];
export const URGENCIES = 4;

/**
 * Asked about every object when a replica begins to lead: looks at no more than it needs.
 * @param said what the instance of a plugin says
 */
export function urgencyOf(
  report: ObjectReport | undefined,
  said: InstanceReport | undefined,
  stored: StoredObject | undefined,
): Urgency {
  if (report === undefined || stored === undefined) return URGENCY.Ordinary;
  const ready = readyOf(stored);
  const edited = ready !== undefined && ready.readyGeneration !== stored.generation;
  const wrong = isWrong(report, said);
  if (edited) return wrong ? URGENCY.EditedAndWrong : URGENCY.Edited;
  if (wrong) return ready?.readyStatus === 'False' ? URGENCY.Ordinary : URGENCY.Turned;
  const turned = ready !== undefined && ready.readyStatus !== 'True' && said?.status !== 'Unknown';
  return turned ? URGENCY.Turned : URGENCY.Ordinary;
}

const isWrong = ({ conditions, exposure }: ObjectReport, said: InstanceReport | undefined): boolean =>
  exposure === 'Denied' ||
  said?.status === 'False' ||
  conditions.some(({ type, status }) => type === 'Ready' && status === 'False');
