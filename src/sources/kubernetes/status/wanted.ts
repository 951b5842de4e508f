import { own } from '../../../resources/plain.ts';
import type { InstanceCheck, ObjectReport, ReportedCondition } from './report.ts';
import { type Condition, readChecks, readConditions, readHosts } from './stored.ts';

/** `status` of an object, as it is applied. What is undefined isn't there. */
export interface Status {
  readonly conditions: readonly Condition[];
  readonly exposure?: string | undefined;
  readonly authorization?: string | undefined;
  readonly clients?: string | undefined;
  readonly redirectURIs?: readonly string[] | undefined;
  readonly hosts?: readonly string[] | undefined;
  readonly routes?: number | undefined;
  readonly target?: string | undefined;
  readonly checks?: readonly InstanceCheck[] | undefined;
}

/** Conditions that are written here: one of these that is stored and not wanted any more is to go. */
export const CONDITION_TYPES: ReadonlySet<string> = new Set([
  'Accepted',
  'ResolvedRefs',
  'ProviderReady',
  'CertificateReady',
  'Programmed',
  'Ready',
  'OpensProtectedPath',
  'Insecure',
  'HostNotReserved',
]);

/** Bounds of the CRD; an object with a status that is refused would show an old one forever. */
const MOST_URIS = 1024;
const MOST_MESSAGE = 32_768;
const MOST_OF_CHECK = 4096;

/**
 * The status that an object is to have. `lastTransitionTime` moves with `status` of the condition and with nothing else
 * (F18).
 * @param conditions of `report`, with what the plugin's instance says
 * @param stored `status` as it is
 * @param wallNow milliseconds since the epoch
 */
export function wantedStatus(
  report: ObjectReport,
  conditions: readonly ReportedCondition[],
  checks: readonly InstanceCheck[] | undefined,
  stored: unknown,
  wallNow: number,
): Status {
  const before = readConditions(stored);
  return {
    conditions: conditions.map(({ type, status, reason, message }) => {
      const was = before.get(type);
      const same = was?.status === status && was.lastTransitionTime !== '';
      return {
        type,
        status,
        observedGeneration: report.observedGeneration,
        lastTransitionTime: same ? was.lastTransitionTime : seconds(wallNow),
        reason,
        message: message.slice(0, MOST_MESSAGE),
      };
    }),
    exposure: report.exposure,
    authorization: report.authorization,
    clients: report.clients,
    redirectURIs: some(report.redirectURIs.slice(0, MOST_URIS)),
    hosts: some(report.hosts ?? readHosts(stored)),
    routes: report.routes,
    target: report.target,
    checks: checks?.length === 0 ? undefined : checks?.map(cut),
  };
}

/** An empty list is none. */
const some = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

const cut = ({ name, result, message }: InstanceCheck): InstanceCheck => ({
  name,
  result,
  message: message.slice(0, MOST_OF_CHECK),
});

/** metav1.Time. */
const seconds = (wallNow: number): string => new Date(wallNow).toISOString().replace(/\.\d+Z$/, 'Z');

/** Whether what is stored says the same, in everything that is written here; what others wrote is theirs. */
export const says = (stored: unknown, wanted: unknown): boolean => content(stored) === content(wanted);

function content(status: unknown): string {
  const conditions = [...readConditions(status).values()].filter(({ type }) => CONDITION_TYPES.has(type));
  return JSON.stringify([
    conditions
      .map(({ type, ...rest }) => [
        type,
        rest.status,
        rest.observedGeneration,
        rest.lastTransitionTime,
        rest.reason,
        rest.message,
      ])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    own(status, 'exposure'),
    own(status, 'authorization'),
    own(status, 'clients'),
    own(status, 'redirectURIs'),
    own(status, 'hosts'),
    own(status, 'routes'),
    own(status, 'target'),
    readChecks(status).map(({ name, result, message }) => [name, result, message]),
  ]);
}
