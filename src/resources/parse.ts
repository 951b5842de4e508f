import {
  FILES_OPTIONS,
  type Foreign,
  type Identity,
  type ParseOptions,
  readIdentity,
  type Unreadable,
} from './object-identity.ts';
import { parseCoreService } from './parse-core-service.ts';
import { parseReferenceGrant } from './parse-reference-grant.ts';
import { parseRoute } from './parse-route.ts';
import { parseSecret } from './parse-secret.ts';
import { parseService } from './parse-service.ts';
import { own } from './plain.ts';
import { type Checked, invalid, problem } from './problem.ts';
import { invalidObject, sizeProblem } from './read-spec.ts';
import type { Parsed } from './resource.ts';

export type { Foreign, ParseOptions, Unreadable } from './object-identity.ts';

/** What parsing needs of a kind of plugin; routing's PluginRules is one. */
export interface PluginParser {
  readonly kind: string;
  /** Wire form of `spec` to what the kind works with. Paths of problems begin with `spec`. Never throws. */
  parse(spec: unknown): Checked<unknown>;
}

/**
 * A whole Kubernetes object, whatever it is, to a checked resource, or to what is wrong with it and what it closes
 * nonetheless. Never throws. Foreign: not ours to see. Unreadable: of our group, but which object it is can't be told;
 * files mode treats that as a file that isn't YAML, for nothing is known that could be closed.
 */
export function parseObject(
  value: unknown,
  plugins: readonly PluginParser[],
  options: ParseOptions = FILES_OPTIONS,
): Parsed | Foreign | Unreadable {
  const kinds = ['Service', 'Route', ...plugins.map((plugin) => plugin.kind)];
  const identity = readIdentity(value, kinds, options);
  if (identity.kind !== 'Ours') return identity;
  switch (identity.objectKind) {
    case 'Service':
      return parseService(identity);
    case 'Route':
      return parseRoute(identity);
    case 'Secret':
      return parseSecret(identity, options.defaultNamespace === undefined);
    case 'CoreService':
      return parseCoreService(identity);
    case 'ReferenceGrant':
      return parseReferenceGrant(identity);
    default:
      return parsePlugin(identity, plugins);
  }
}

function parsePlugin(identity: Identity, plugins: readonly PluginParser[]): Parsed {
  const { objectKind: pluginKind, key, name, meta } = identity;
  const parser = plugins.find(({ kind }) => kind === pluginKind);
  const spec = own(identity.object, 'spec');
  const tooLarge = sizeProblem(spec);
  const checked = parser === undefined || tooLarge !== undefined ? invalid() : parser.parse(spec);
  const problems = [
    ...identity.problems,
    ...(tooLarge === undefined ? [] : [tooLarge]),
    ...(checked.ok ? [] : checked.problems),
  ];
  if (checked.ok && problems.length === 0)
    return { ok: true, value: { kind: 'Plugin', pluginKind, key, name, meta, spec: checked.value } };
  // A kind that refuses must say why; without a word it is refused nonetheless.
  if (problems.length === 0) problems.push(problem('Invalid', ['spec'], 'was refused without a reason'));
  return invalidObject(identity, problems, { kind: 'Plugin', pluginKind });
}
