import { GROUP } from '../../../resources/metadata.ts';
import type { KubernetesApi } from '../api.ts';
import { readOpenApi, servedSchema } from '../openapi.ts';
import { type Log, onceAMinute, type Timers } from '../world.ts';
import { fitted } from './fitted.ts';
import type { ReportedKind } from './place.ts';
import type { Status } from './wanted.ts';

export interface ServedStatusesOptions {
  readonly api: KubernetesApi;
  readonly kinds: readonly ReportedKind[];
  /** Another status may be written of this one now. */
  again(key: string): void;
  /** Of all of a kind. */
  changed(kind: string): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  readonly timers: Timers;
  readonly log: Log;
}

/** What the API server takes of a status. Everything, until it refuses one: then its schema is asked for. */
export interface ServedStatuses {
  fit(kind: ReportedKind, status: Status): FittedStatus;
  /** @param answer of the API server, for the log */
  refused(key: string, kind: ReportedKind, sent: FittedStatus | undefined, answer: string): void;
  stop(): void;
}

export interface FittedStatus {
  /** As it is to be sent. */
  readonly value: unknown;
  /** That it was made for; undefined: for all that this version knows. */
  readonly schema: Schema | undefined;
}

interface Schema {
  readonly text: string;
  readonly value: unknown;
}

/** Milliseconds. While something is left out, whether that is so still. */
const AGAIN = 60_000;

/**
 * Server-side apply refuses a status whole for one field that the CustomResourceDefinition doesn't have (500, "field not
 * declared in schema", whatever fieldValidation says), or for one value (422): then Routes would say nothing at all for
 * as long as Postern is newer than its definitions (F09). So what they don't know is left out, and that is said.
 */
export function createServedStatuses(options: ServedStatusesOptions): ServedStatuses {
  const { log, now } = options;
  const sayAgain = onceAMinute(now);
  const schemas = new Map<string, Schema>();
  /** By kind, what was left out. */
  const leftOut = new Map<string, Set<string>>();
  const refusals = new Map<string, { readonly kind: string; readonly answer: string }>();
  const stopping = new AbortController();
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking = false;
  let cancel = (): void => {};

  async function look(): Promise<void> {
    looking = true;
    lookedAt = now();
    cancel();
    const document = await readOpenApi(options.api, stopping.signal);
    looking = false;
    if (stopping.signal.aborted) return;
    const changed = new Set(document === undefined ? [] : options.kinds.filter(({ kind }) => learn(document, kind)));
    const waited = [...refusals];
    refusals.clear();
    for (const { kind } of changed) if (leftOut.delete(kind)) options.changed(kind);
    for (const [key, { kind, answer }] of waited) {
      if ([...changed].some((each) => each.kind === kind)) options.again(key);
      else complain(key, answer);
    }
    cancel = options.timers.after(AGAIN, () => {
      if (leftOut.size > 0) void look();
      else schemas.clear();
    });
  }

  /** Whether it is another one than before. */
  function learn(document: unknown, kind: string): boolean {
    const value = servedSchema(document, kind, 'status');
    const text = JSON.stringify(value);
    if (value === undefined || schemas.get(kind)?.text === text) return false;
    schemas.set(kind, { text, value });
    return true;
  }

  function complain(object: string, answer: string): void {
    const advice = 'are the CustomResourceDefinitions those of this version? kubectl apply --server-side -f crds/';
    if (sayAgain('refused')) log.warn({ object, answer }, `the API server refuses a status: ${advice}`);
  }

  function sayLeftOut({ kind, plural }: ReportedKind, paths: readonly string[]): void {
    const said = leftOut.get(kind) ?? new Set();
    const unsaid = paths.filter((path) => !said.has(path));
    if (unsaid.length === 0) return;
    leftOut.set(kind, new Set([...said, ...unsaid]));
    const text = `the CustomResourceDefinition ${plural}.${GROUP} is older than this Postern: statuses are written without`;
    log.warn({}, `${text} ${unsaid.join(', ')}; kubectl apply --server-side -f crds/`);
  }

  return {
    fit(kind, status) {
      const schema = schemas.get(kind.kind);
      if (schema === undefined) return { value: status, schema };
      const fit = fitted(status, schema.value, 'status');
      sayLeftOut(kind, fit.leftOut);
      return { value: fit.value, schema };
    },
    refused(key, { kind }, sent, answer) {
      if (sent !== undefined && schemas.get(kind) !== sent.schema) options.again(key);
      else if (!looking && now() - lookedAt < AGAIN) complain(key, answer);
      else {
        refusals.set(key, { kind, answer });
        if (!looking) void look();
      }
    },
    stop() {
      stopping.abort();
      cancel();
    },
  };
}
