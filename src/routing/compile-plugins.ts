import { namespaceOf, type ObjectKey } from '../resources/keys.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type { PluginResource } from '../resources/resource.ts';
import type { Lookup, Tracker } from './cells.ts';
import { Derived } from './derived.ts';
import type { Found } from './indexed.ts';
import type { Objects } from './objects.ts';
import type { CompileOptions } from './options.ts';
import type { CompiledPlugin } from './plugin-rules.ts';
import { type Secrets, secretReader } from './secrets.ts';

export type PluginState =
  | { readonly kind: 'Compiled'; readonly resource: PluginResource; readonly plugin: CompiledPlugin }
  | { readonly kind: 'Unresolved'; readonly resource: PluginResource; readonly problems: readonly Problem[] }
  | { readonly kind: 'Broken' };

export type PluginStates = Lookup<ObjectKey, PluginState | undefined>;

/** Every plugin object, each by the rules of its own kind. */
export const pluginSteps = (
  tracker: Tracker,
  { plugins, secrets }: Pick<Objects, 'plugins' | 'secrets'>,
  options: CompileOptions,
): Derived<ObjectKey, PluginState> =>
  new Derived({
    tracker,
    stride: STRIDE,
    make(key) {
      const found = plugins.get(key);
      return found && compilePlugin(found, options, secrets);
    },
  });

/** Plugins that are handled between two steps; each is 0.1 ms. */
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
