import type { Origins } from '../control/parse-memo.ts';
import type { Origin, SourceObject } from '../control/source.ts';
import { type NamespacedName, type ObjectKey, objectKey, objectText } from '../resources/keys.ts';
import { formatPath, type Problem } from '../resources/problem.ts';
import type { Parsed } from '../resources/resource.ts';
import type { Compiled, Exposure, RouteEntry, Verdict } from '../routing/snapshot.ts';
import { readObjects } from '../sources/files/objects.ts';
import type { FileProblem } from '../sources/files/problem.ts';
import type { Pipeline } from './pipeline.ts';
import { placesOf } from './problem-text.ts';
import type { NotChecked } from './stand-ins.ts';
import { entriesByRoute, type PlacedEntry } from './table-entries.ts';

/** What is said of some files: plain data, printed as text or as JSON. */
export interface Validation {
  /** Objects of ours that could be told apart. */
  readonly objects: number;
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** What the objects refer to and these files don't have, which only a cluster can tell. */
  readonly notChecked: readonly Finding[];
  /** Undefined where a file can't be used: what is missing would make everything else look broken. */
  readonly routes: readonly RouteSummary[] | undefined;
}

export interface Finding {
  readonly file: string | undefined;
  readonly line: number | undefined;
  /** `Route shop/orders`; undefined where a file can't be used. */
  readonly object: string | undefined;
  /** `spec.hosts[0]`; `` for the whole object. */
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

export interface RouteSummary {
  /** `shop/orders`. */
  readonly route: string;
  readonly exposure: Exposure;
  /** `OidcPlugin shop/okta`; empty unless Protected. */
  readonly plugins: readonly string[];
  /** Names of the authorization rules; undefined: any account that the plugin proves. */
  readonly rules: readonly string[] | undefined;
  /** Addresses that may use it; absent: all. */
  readonly clients?: readonly string[];
  /** Why it is Denied. */
  readonly reason: string | undefined;
  readonly redirectURIs: readonly string[];
  readonly places: readonly Place[];
}

export interface Place {
  readonly host: string;
  readonly path: string;
  readonly type: 'Exact' | 'Prefix' | 'RegularExpression';
  /** Undefined: every one. */
  readonly methods: readonly string[] | undefined;
  readonly exposure: Exposure;
}

/** As which objects are looked at: those of a server with files, or manifests for a cluster. */
export interface Checker extends Pick<Pipeline, 'check' | 'parse'> {
  compile(parsed: readonly Parsed[]): Checked;
}

export interface Checked extends Pick<Compiled, 'table' | 'verdicts'> {
  readonly notChecked: readonly NotChecked[];
}

export const filesChecker = (pipeline: Pipeline): Checker => ({
  ...pipeline,
  compile: (parsed) => ({ ...pipeline.compileAlone(parsed), notChecked: [] }),
});

/** Reads, parses and compiles as the server does. Never rejects for what is in the files. */
export async function validateFiles(paths: readonly string[], checker: Checker): Promise<Validation> {
  const read = await readObjects(paths, checker.check);
  const { parsed, origins } = parseAll(read.objects, checker);
  if (read.problems.length > 0) {
    const invalid = parsed.flatMap((object) => (object.ok ? [] : findings(object.key, object.problems, origins)));
    return {
      objects: parsed.length,
      problems: inOrder([...read.problems.map(fileFinding), ...invalid]),
      warnings: [],
      notChecked: [],
      routes: undefined,
    };
  }
  const { table, verdicts, notChecked } = checker.compile(parsed);
  const all = [...verdicts.values()];
  return {
    objects: parsed.length,
    problems: inOrder(all.flatMap(({ key, problems }) => findings(key, problems, origins))),
    warnings: inOrder(all.flatMap(({ key, warnings }) => findings(key, warnings, origins))),
    notChecked: inOrder(notChecked.flatMap(({ key, problem }) => findings(key, [problem], origins))),
    routes: summaries(verdicts, entriesByRoute(table)),
  };
}

function parseAll(
  objects: ReadonlyMap<string, SourceObject>,
  checker: Pick<Checker, 'parse'>,
): { readonly parsed: readonly Parsed[]; readonly origins: Origins } {
  const parsed: Parsed[] = [];
  const origins = new Map<ObjectKey, Origin[]>();
  for (const { value, origin } of objects.values()) {
    const object = checker.parse(value);
    if (object === undefined) continue;
    parsed.push(object);
    const key = object.ok ? object.value.key : object.key;
    const places = origins.get(key) ?? [];
    origins.set(key, places);
    if (origin !== undefined) places.push(origin);
  }
  return { parsed, origins };
}

function findings(key: ObjectKey, problems: readonly Problem[], origins: Origins): readonly Finding[] {
  return problems.flatMap((problem) =>
    placesOf(problem, origins.get(key)).map((place) => ({
      file: place?.file,
      line: place?.line(problem.path),
      object: objectText(key),
      field: formatPath(problem.path),
      reason: problem.reason,
      message: problem.message,
    })),
  );
}

/** As a person goes through the files. */
const inOrder = (all: readonly Finding[]): readonly Finding[] =>
  [...all].sort((a, b) => compare(a.file ?? '', b.file ?? '') || (a.line ?? 0) - (b.line ?? 0));

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const fileFinding = ({ file, line, message }: FileProblem): Finding => ({
  file,
  line,
  object: undefined,
  field: '',
  reason: 'Unreadable',
  message,
});

function summaries(
  verdicts: ReadonlyMap<ObjectKey, Verdict>,
  entries: ReadonlyMap<NamespacedName, readonly PlacedEntry[]>,
): readonly RouteSummary[] {
  const byKey = new Map([...entries].map(([name, of]) => [objectKey('Route', name), of]));
  return [...verdicts.values()].flatMap((verdict) => {
    const { key, exposure } = verdict;
    return exposure === undefined ? [] : summary(key.slice('Route/'.length), exposure, verdict, byKey.get(key) ?? []);
  });
}

function summary(route: string, exposure: Exposure, verdict: Verdict, places: readonly PlacedEntry[]): RouteSummary {
  const open = places.find(({ entry }) => entry.exposure === exposure)?.entry;
  return {
    route,
    exposure,
    plugins: open === undefined || exposure !== 'Protected' ? [] : open.plugins.map(objectText),
    rules: exposure === 'Protected' ? open?.authorization?.rules.map(({ name }) => name) : undefined,
    ...(open?.filters?.clients && { clients: open.filters.clients.map(({ text }) => text) }),
    reason: exposure === 'Denied' ? reasonOf(verdict, open) : undefined,
    redirectURIs: verdict.redirectURIs,
    places: places.map(({ entry: { host, path, methods }, exposure: here }) => ({
      host,
      path: path.value,
      type: path.type,
      methods,
      exposure: here,
    })),
  };
}

function reasonOf(verdict: Verdict, entry: RouteEntry | undefined): string {
  if (entry?.action.kind === 'Refuse') return entry.action.reason;
  return verdict.problems[0]?.reason ?? 'Invalid';
}
