import type { ObjectKey } from '../resources/keys.ts';
import { namespaceOf } from '../resources/keys.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type { PluginResource } from '../resources/resource.ts';
import type { Objects } from './objects.ts';
import type { CompileOptions } from './options.ts';
import type { CompiledPlugin } from './plugin-rules.ts';
import { secretReader } from './secrets.ts';

export type PluginState =
  | { readonly kind: 'Compiled'; readonly resource: PluginResource; readonly plugin: CompiledPlugin }
  | { readonly kind: 'Unresolved'; readonly resource: PluginResource; readonly problems: readonly Problem[] }
  | { readonly kind: 'Broken' };

/** Every plugin object, each by the rules of its own kind. */
export function compilePlugins(objects: Objects, options: CompileOptions): ReadonlyMap<ObjectKey, PluginState> {
  const kinds = new Map(options.plugins.map((rules) => [rules.kind, rules]));
  const states = new Map<ObjectKey, PluginState>();
  const { external, identityHeaders } = options;
  for (const [key, found] of objects.plugins) {
    if (found.kind === 'Broken') {
      states.set(key, { kind: 'Broken' });
      continue;
    }
    const resource = found.value;
    const secret = secretReader(objects, namespaceOf(resource.name), options.mode);
    const context = { secret, external, ...(identityHeaders === undefined ? {} : { identityHeaders }) };
    const compiled = kinds.get(resource.pluginKind)?.compile(resource, context);
    if (compiled?.ok === true) states.set(key, { kind: 'Compiled', resource, plugin: compiled.value });
    else states.set(key, { kind: 'Unresolved', resource, problems: compiled?.problems ?? [unknownKind(resource)] });
  }
  return states;
}

const unknownKind = (resource: PluginResource): Problem =>
  problem('UnsupportedValue', ['kind'], `there is no plugin kind ${resource.pluginKind}`);
