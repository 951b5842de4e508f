import type { ObjectReport, ReportedCondition } from './report.ts';

/** Cheap, for it is asked about every object at each publication: most members are the same values as before. */
export function sameReport(a: ObjectReport, b: ObjectReport | undefined): boolean {
  if (a === b) return true;
  return (
    b !== undefined &&
    a.observedGeneration === b.observedGeneration &&
    a.exposure === b.exposure &&
    a.authorization === b.authorization &&
    a.clients === b.clients &&
    a.routes === b.routes &&
    a.target === b.target &&
    sameHosts(a.hosts, b.hosts) &&
    sameList(a.redirectURIs, b.redirectURIs, (x, y) => x === y) &&
    sameList(a.conditions, b.conditions, sameCondition)
  );
}

const sameHosts = (a: ObjectReport['hosts'], b: ObjectReport['hosts']): boolean =>
  a === b || (a !== undefined && b !== undefined && sameList(a, b, (x, y) => x === y));

const sameList = <T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean): boolean =>
  a === b ||
  (a.length === b.length &&
    a.every((member, index) => {
      const other = b[index];
      return other !== undefined && same(member, other);
    }));

const sameCondition = (a: ReportedCondition, b: ReportedCondition): boolean =>
  a === b || (a.type === b.type && a.status === b.status && a.reason === b.reason && a.message === b.message);
