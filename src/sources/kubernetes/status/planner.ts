import { isPlain } from '../../../resources/plain.ts';
import type { EventSubject } from '../events/event.ts';
import { type Happening, happenings } from '../events/transitions.ts';
import { type StoredObject, storedOf } from '../objects.ts';
import { applyOf, type Place, placeOf, type ReportedKind } from './place.ts';
import {
  isTooEarly,
  isUnsettled,
  NO_TURNS,
  type Observation,
  observe,
  providerToShow,
  type Turns,
  turned,
} from './provider.ts';
import type { InstanceReport, ObjectReport, ReportChange, ReportedCondition } from './report.ts';
import { sameReport } from './same-report.ts';
import type { FittedStatus, ServedStatuses } from './served-statuses.ts';
import { isOlder, readConditions, readProvider } from './stored.ts';
import { type Urgency, urgencyOf } from './urgency.ts';
import { type Status, says, wantedStatus } from './wanted.ts';
import type { Write } from './writer.ts';

export interface PlannerOptions {
  readonly kinds: readonly ReportedKind[];
  readonly class: string;
  lookup(key: string): StoredObject | undefined;
  join(conditions: readonly ReportedCondition[], instance: InstanceReport | undefined): readonly ReportedCondition[];
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallNow(): number;
  readonly served: Pick<ServedStatuses, 'fit' | 'refused'>;
  /** After it was written. */
  happened(subject: EventSubject, happening: Happening): void;
}

/** What is to be said of each object, and what was; decides what is to be written. Does no I/O. */
export interface Planner {
  /** The keys about which something else is said than before. */
  take(changes: readonly ReportChange[]): readonly string[];
  /** Of everything of which something is to be said. */
  keys(): Iterable<string>;
  /** The plugins about which time alone may change what is said. */
  observe(instances: ReadonlyMap<string, InstanceReport>): readonly string[];
  /** Some instance hasn't decided yet. */
  undecided(): boolean;
  /** Undefined: what is stored says it already, or there is nothing to write to. */
  plan(key: string): Write | undefined;
  urgency(key: string): Urgency;
  /** What this leader wrote: another one has written since. */
  forget(): void;
}

/** Milliseconds in which an instance is expected to come to its first answer. */
const BEGINNING = 30_000;

export function createPlanner(options: PlannerOptions): Planner {
  const { now } = options;
  const kinds = new Map(options.kinds.map((kind) => [kind.kind, kind]));
  const fieldManager = options.class === 'postern' ? 'postern' : `postern-${options.class}`;
  const reports = new Map<string, ObjectReport>();
  /** Reported once and not any more: gone, or of another class now. */
  const leaving = new Set<string>();
  const observations = new Map<string, Observation>();
  const turns = new Map<string, Turns>();
  /** As our writes left them, until the source knows them too. */
  const written = new Map<string, StoredObject>();

  function latest(key: string): StoredObject | undefined {
    const known = options.lookup(key);
    const mine = written.get(key);
    if (mine === undefined) return known;
    if (known?.uid === mine.uid && isOlder(known.resourceVersion, mine.resourceVersion)) return mine;
    written.delete(key);
    return known;
  }

  function plan(key: string): Write | undefined {
    const place = placeOf(key, kinds);
    const stored = place && latest(key);
    if (place === undefined || stored === undefined) {
      leaving.delete(key);
      return undefined;
    }
    const report = reports.get(key);
    if (report === undefined) return leaving.has(key) ? giveUp(key, place, stored) : undefined;
    // About what isn't stored any more: the next publication is about what is.
    if (report.observedGeneration !== stored.generation) return undefined;
    const status = wanted(report, place.kind, stored);
    const fitted = status && options.served.fit(place.kind, status);
    if (status === undefined || fitted === undefined || says(stored.status, fitted.value)) return undefined;
    return writeOf(key, place, stored, status, fitted);
  }

  /** Undefined: it will be known in a moment. */
  function wanted(report: ObjectReport, kind: ReportedKind, stored: StoredObject): Status | undefined {
    const wallNow = options.wallNow();
    if (!kind.plugin) return wantedStatus(report, report.conditions, undefined, stored.status, wallNow);
    const observation = observations.get(report.key);
    const remembered = turns.get(report.key) ?? NO_TURNS;
    const before = readProvider(stored.status);
    const generation = report.observedGeneration;
    if (isTooEarly(before, generation, observation, now())) return undefined;
    const shown = providerToShow(before, generation, observation, remembered, now());
    const conditions = options.join(report.conditions, shown);
    return wantedStatus(report, conditions, shown?.checks, stored.status, wallNow);
  }

  function writeOf(key: string, place: Place, stored: StoredObject, status: Status, fitted: FittedStatus): Write {
    return {
      request: applyOf(place, fieldManager, stored.resourceVersion, fitted.value),
      scope: place.scope,
      refused: (answer) => options.served.refused(key, place.kind, fitted, answer),
      done(body) {
        remember(key, body);
        const before = readProvider(stored.status);
        const after = readProvider(status);
        if (after !== undefined) turns.set(key, turned(turns.get(key) ?? NO_TURNS, before, after, now()));
        const subject = { ...place.subject, uid: stored.uid };
        for (const happening of happenings(readConditions(stored.status), status.conditions)) {
          options.happened(subject, happening);
        }
      },
    };
  }

  /** Without a status, our fields go and those of others stay: the installation of its class now has it alone. */
  function giveUp(key: string, place: Place, stored: StoredObject): Write {
    return {
      request: applyOf(place, fieldManager, stored.resourceVersion, undefined),
      scope: place.scope,
      refused: (answer) => options.served.refused(key, place.kind, undefined, answer),
      done() {
        leaving.delete(key);
      },
    };
  }

  function remember(key: string, body: unknown): void {
    const after = isPlain(body) ? storedOf(body) : undefined;
    if (after !== undefined && after.uid !== '') written.set(key, after);
  }

  return {
    take(changes) {
      const changed: string[] = [];
      for (const { key, before, after } of changes) {
        if (after === undefined) {
          reports.delete(key);
          observations.delete(key);
          turns.delete(key);
          leaving.add(key);
        } else {
          reports.set(key, after);
          leaving.delete(key);
        }
        if (after === undefined || !sameReport(after, before)) changed.push(key);
      }
      return changed;
    },
    keys: () => reports.keys(),
    observe(instances) {
      // What the source knows by now, as a rule everything: of thousands of objects it would be megabytes.
      for (const key of written.keys()) latest(key);
      for (const key of observations.keys()) if (!instances.has(key)) observations.delete(key);
      const unsettled: string[] = [];
      for (const [key, said] of instances) {
        const observation = observe(observations.get(key), said, now());
        observations.set(key, observation);
        if (isUnsettled(observation, now())) unsettled.push(key);
      }
      return unsettled;
    },
    undecided: () =>
      [...observations.values()].some(({ said, since }) => said.status === 'Unknown' && now() - since < BEGINNING),
    plan,
    urgency: (key) => urgencyOf(reports.get(key), observations.get(key)?.said, latest(key)),
    forget() {
      turns.clear();
      written.clear();
      leaving.clear();
    },
  };
}
