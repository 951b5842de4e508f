import type { HostPattern } from '../resources/hostname.ts';
import { type NamespacedName, type ObjectKey, objectText } from '../resources/keys.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type { PathMatch, PlainPath } from '../resources/resource.ts';
import type { ClosedBy } from './closures.ts';
import { getOrAdd } from './collections.ts';
import type { PluginState, PluginStates } from './compile-plugins.ts';
import type { PlacedEntry } from './entries.ts';
import type { GuardedBackends } from './guards.ts';
import type { CompileMode } from './options.ts';
import { MOST_STEPS } from './pattern-excess.ts';
import { patternWarnings } from './pattern-warnings.ts';
import type { Steps } from './steps.ts';
import { pathSegments } from './table.ts';

/** What works and is worth a second look, by Route; one text can be there several times. */
export type Warnings = ReadonlyMap<NamespacedName, readonly Problem[]>;

interface Guarded {
  readonly route: NamespacedName;
  readonly path: PlainPath;
}

/** Guarded places of one host. Keys are paths without `/` at their ends. */
interface GuardedPaths {
  readonly prefixes: Map<string, Guarded>;
  readonly exact: Map<string, Guarded>;
  readonly folded: Map<string, Guarded>;
}

/** Of one host. `entries`: all of it, oldest Route first. */
export function* warningsOf(
  entries: readonly PlacedEntry[],
  plugins: PluginStates,
  backends: GuardedBackends,
  mode: CompileMode,
): Steps<Warnings> {
  const guarded = yield* guardedPaths(entries);
  const warnings = new Map<NamespacedName, Problem[]>();
  for (const [at, placed] of entries.entries()) {
    if (at % STRIDE === STRIDE - 1) yield;
    const { route } = placed.draft;
    for (const warning of entryWarnings(placed, guarded, plugins, backends, mode)) {
      getOrAdd(warnings, route.name, () => []).push(warning);
    }
  }
  for (const { route, problem: warning } of yield* patternWarnings(entries)) {
    getOrAdd(warnings, route, () => []).push(warning);
  }
  return warnings;
}

/** Entries that are handled between two steps. */
const STRIDE = 32;

function* entryWarnings(
  placed: PlacedEntry,
  guarded: GuardedPaths,
  plugins: PluginStates,
  backends: GuardedBackends,
  mode: CompileMode,
): Generator<Problem> {
  const { draft, entry, behind } = placed;
  const { route } = draft;
  const { path } = entry;
  if (entry.exposure === 'Public' && behind === undefined && path.type !== 'RegularExpression') {
    yield* publicWarnings(entry.host, path, route.paths.indexOf(path), guarded);
  }
  if (entry.exposure === 'Protected' && draft.policy === undefined) {
    for (const key of draft.plugins) if (isOpenSignUp(plugins.get(key))) yield openSignUp(key);
  }
  if (route.clientAuthorization === 'Pass' && entry.exposure !== 'Denied' && !passes(placed, backends))
    yield entry.exposure === 'Public' ? PASS_UNGUARDED : PASS_PROTECTED;
  if (mode.kind === 'Files' && route.tlsSecret !== undefined) yield TLS_IN_FILES;
  if (behind !== undefined) {
    yield problem(
      'Closed',
      ['spec', 'hosts', route.hosts.indexOf(entry.host)],
      closedMessage(path, entry.host, behind),
    );
  }
}

const closedMessage = (path: PathMatch, host: HostPattern, { route, reason }: ClosedBy): string =>
  reason === 'TooManyExpressions'
    ? `${path.value} on ${host} is closed, for the regular expressions of ${host}, those of Route ${route} among them, cost more than ${MOST_STEPS} steps for each character of a path; write Prefix or Exact paths instead of some`
    : `${path.value} on ${host} is closed by the invalid Route ${route}; correct or delete that one`;

/** Whether `clientAuthorization: Pass` lets a header through that would be removed without it. */
const passes = ({ draft: { service }, entry: { exposure } }: PlacedEntry, backends: GuardedBackends): boolean =>
  exposure === 'Public' && service !== undefined && backends.get(service);

const TLS_IN_FILES = problem(
  'NoEffect',
  ['spec', 'tls'],
  'has no effect with files, for only the HTTPS listener of a cluster shows certificates; let TLS end in front',
);
const noEffect = (message: string): Problem => problem('NoEffect', ['spec', 'clientAuthorization'], message);
const PASS_PROTECTED = noEffect('has no effect, for Authorization is removed on every Protected Route; leave it out');
const PASS_UNGUARDED = noEffect(
  'has no effect, for no Route or Service guards this backend, so Authorization is passed on anyway; leave it out',
);

const isOpenSignUp = (state: PluginState | undefined): boolean => state?.kind === 'Compiled' && state.plugin.openSignUp;

const openSignUp = (plugin: ObjectKey): Problem =>
  problem(
    'OpenSignUp',
    ['spec', 'authorization'],
    `anybody can have an account at the provider of ${objectText(plugin)}; write authorization.rules that say who of them may come in`,
  );

function* guardedPaths(entries: readonly PlacedEntry[]): Steps<GuardedPaths> {
  const paths: GuardedPaths = { prefixes: new Map(), exact: new Map(), folded: new Map() };
  for (const [at, { draft, entry }] of entries.entries()) {
    if (at % STRIDE === STRIDE - 1) yield;
    if (draft.plugins.length === 0) continue;
    const { path } = entry;
    if (path.type === 'RegularExpression') continue;
    const guarded: Guarded = { route: entry.route, path };
    const text = textOf(path);
    const same = path.type === 'Prefix' ? paths.prefixes : paths.exact;
    if (!same.has(text)) same.set(text, guarded);
    if (!paths.folded.has(text.toLowerCase())) paths.folded.set(text.toLowerCase(), guarded);
  }
  return paths;
}

const textOf = (path: PlainPath): string => pathSegments(path).join('/');

function* publicWarnings(host: HostPattern, path: PlainPath, index: number, guarded: GuardedPaths): Generator<Problem> {
  const at = ['spec', 'paths', index];
  const text = textOf(path);
  const around = coveringPrefix(text, guarded) ?? (path.type === 'Exact' ? guarded.exact.get(text) : undefined);
  if (around !== undefined) {
    const where = textOf(around.path) === text ? 'beside' : `under ${around.path.value} of`;
    const message = `${path.value} on ${host} is open to everybody, ${where} Route ${around.route}, which a plugin guards`;
    yield problem('OpensProtectedPath', at, message);
  }
  const folded = guarded.folded.get(text.toLowerCase());
  if (folded !== undefined && textOf(folded.path) !== text) {
    const message = `${path.value} on ${host} is open to everybody and differs from ${folded.path.value}, which Route ${folded.route} protects, only by case; a service that ignores case serves one for the other`;
    yield problem('DiffersOnlyByCase', at, message);
  }
}

function coveringPrefix(text: string, guarded: GuardedPaths): Guarded | undefined {
  for (let end = text.length; end > 0; end = text.lastIndexOf('/', end - 1)) {
    const found = guarded.prefixes.get(text.slice(0, end));
    if (found !== undefined) return found;
  }
  return guarded.prefixes.get('');
}
