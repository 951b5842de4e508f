import { type NamespacedName, namespaceOf, type ObjectKey } from '../resources/keys.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type { PluginResource, SecretResource } from '../resources/resource.ts';
import type { Found } from './indexed.ts';
import type { Lookup, Memo, Watched } from './memo.ts';
import type { Objects } from './objects.ts';
import type { CompileOptions } from './options.ts';
import type { CompiledPlugin } from './plugin-rules.ts';
import { type Secrets, secretReader } from './secrets.ts';
import type { Steps } from './steps.ts';

export type PluginState =
  | { readonly kind: 'Compiled'; readonly resource: PluginResource; readonly plugin: CompiledPlugin }
  | { readonly kind: 'Unresolved'; readonly resource: PluginResource; readonly problems: readonly Problem[] }
  | { readonly kind: 'Broken' };

export type PluginStates = Lookup<ObjectKey, PluginState | undefined>;

/** What is remembered: a plugin stays what it was as long as its object and the Secrets that it read do. */
export interface PluginMemory {
  readonly states: Memo<ObjectKey, PluginState>;
  readonly secrets: Watched<NamespacedName, Found<SecretResource> | undefined>;
}

/** Every plugin object, each by the rules of its own kind. */
export function* compilePlugins(
  objects: Objects,
  options: CompileOptions,
  { states, secrets }: PluginMemory,
): Steps<ReadonlyMap<ObjectKey, PluginState>> {
  yield* secrets.become(objects.secrets);
  const compiled = new Map<ObjectKey, PluginState>();
  for (const [key, found] of objects.plugins) {
    if (compiled.size % STRIDE === 0) yield;
    compiled.set(
      key,
      states.get(key, [found], () => compilePlugin(found, options, secrets)),
    );
  }
  return compiled;
}

/** Plugins that are handled between two steps; each is 0.1 ms where it has to be compiled. */
const STRIDE = 8;

function compilePlugin(found: Found<PluginResource>, options: CompileOptions, secrets: Secrets): PluginState {
  if (found.kind === 'Broken') return { kind: 'Broken' };
  const { external, identityHeaders, plugins } = options;
  const resource = found.value;
  const secret = secretReader(secrets, namespaceOf(resource.name), options.mode);
  const context = { secret, external, ...(identityHeaders === undefined ? {} : { identityHeaders }) };
  const compiled = plugins.find(({ kind }) => kind === resource.pluginKind)?.compile(resource, context);
  if (compiled?.ok === true) return { kind: 'Compiled', resource, plugin: compiled.value };
  return { kind: 'Unresolved', resource, problems: compiled?.problems ?? [unknownKind(resource)] };
}

const unknownKind = (resource: PluginResource): Problem =>
  problem('UnsupportedValue', ['kind'], `there is no plugin kind ${resource.pluginKind}`);
