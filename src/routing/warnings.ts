import type { HostPattern } from '../resources/hostname.ts';
import { type NamespacedName, type ObjectKey, objectText } from '../resources/keys.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type { PathMatch } from '../resources/resource.ts';
import { getOrAdd } from './collections.ts';
import type { PluginState } from './compile-plugins.ts';
import type { PlacedEntry } from './entries.ts';
import type { GuardedBackends } from './guards.ts';
import type { CompileMode } from './options.ts';
import { shadowedBySlash } from './slash.ts';
import { pathSegments } from './table.ts';

/** What works and is worth a second look, by Route. */
export type Warnings = ReadonlyMap<NamespacedName, readonly Problem[]>;

interface Guarded {
  readonly route: NamespacedName;
  readonly path: PathMatch;
}

/** Guarded places of one host. Keys are paths without `/` at their ends. */
interface GuardedPaths {
  readonly prefixes: Map<string, Guarded>;
  readonly exact: Map<string, Guarded>;
  readonly folded: Map<string, Guarded>;
}

export function warningsOf(
  entries: readonly PlacedEntry[],
  plugins: ReadonlyMap<ObjectKey, PluginState>,
  backends: GuardedBackends,
  mode: CompileMode,
): Warnings {
  const guarded = guardedPaths(entries);
  const warnings = new Map<NamespacedName, Problem[]>();
  const told = new Set<string>();
  const warn = (route: NamespacedName, warning: Problem): void => {
    if (told.has(`${route} ${warning.message}`)) return;
    told.add(`${route} ${warning.message}`);
    getOrAdd(warnings, route, () => []).push(warning);
  };
  for (const { protectedBy, index, message } of shadowedBySlash(entries)) {
    warn(protectedBy, problem('DiffersOnlyBySlash', ['spec', 'paths', index], message));
  }
  for (const placed of entries) {
    const { draft, entry, behind } = placed;
    const { route } = draft;
    if (entry.exposure === 'Public' && behind === undefined) {
      const index = route.paths.indexOf(entry.path);
      for (const warning of publicWarnings(entry.host, entry.path, index, guarded.get(entry.host))) {
        warn(route.name, warning);
      }
    }
    if (entry.exposure === 'Protected' && draft.policy === undefined) {
      for (const key of draft.plugins) if (isOpenSignUp(plugins.get(key))) warn(route.name, openSignUp(key));
    }
    if (route.clientAuthorization === 'Pass' && entry.exposure !== 'Denied' && !passes(placed, backends))
      warn(route.name, entry.exposure === 'Public' ? PASS_UNGUARDED : PASS_PROTECTED);
    if (mode.kind === 'Files' && route.tlsSecret !== undefined) warn(route.name, TLS_IN_FILES);
    if (behind !== undefined) {
      const message = `${entry.path.value} on ${entry.host} is closed by the invalid Route ${behind.route}; correct or delete that one`;
      warn(route.name, problem('Closed', ['spec', 'hosts', route.hosts.indexOf(entry.host)], message));
    }
  }
  return warnings;
}

/** Whether `clientAuthorization: Pass` lets a header through that would be removed without it. */
const passes = ({ entry: { exposure, action } }: PlacedEntry, backends: GuardedBackends): boolean =>
  exposure === 'Public' && action.kind === 'Forward' && backends.has(action.service, action.backend);

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

function guardedPaths(entries: readonly PlacedEntry[]): ReadonlyMap<HostPattern, GuardedPaths> {
  const hosts = new Map<HostPattern, GuardedPaths>();
  for (const { draft, entry } of entries) {
    if (draft.plugins.length === 0) continue;
    const host = getOrAdd(hosts, entry.host, () => ({ prefixes: new Map(), exact: new Map(), folded: new Map() }));
    const guarded: Guarded = { route: entry.route, path: entry.path };
    const text = textOf(entry.path);
    const same = entry.path.type === 'Prefix' ? host.prefixes : host.exact;
    if (!same.has(text)) same.set(text, guarded);
    if (!host.folded.has(text.toLowerCase())) host.folded.set(text.toLowerCase(), guarded);
  }
  return hosts;
}

const textOf = (path: PathMatch): string => pathSegments(path).join('/');

function* publicWarnings(
  host: HostPattern,
  path: PathMatch,
  index: number,
  guarded: GuardedPaths | undefined,
): Generator<Problem> {
  if (guarded === undefined) return;
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
