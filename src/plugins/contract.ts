import type { z } from 'zod';
import type { KeyRing } from '../keys/ring.ts';
import type { AddressPolicy } from '../resources/address-policy.ts';
import type { ProxyRules } from '../resources/egress-proxy.ts';
import type { Checked, FieldPath, Problem } from '../resources/problem.ts';
import { remainsOf } from '../resources/remains.ts';
import type { PluginResource } from '../resources/resource.ts';
import type { PluginInstance } from '../routing/decision.ts';
import type { CompiledPlugin, PluginCompileContext, PluginConfig, PluginRules } from '../routing/plugin-rules.ts';

/** One kind of plugin: rules for compiling, and a way to start an instance. Adding one is a folder and a line in kinds.ts. */
export interface PluginKind extends PluginRules {
  readonly plural: string;
  readonly shortNames: readonly string[];
  /** Wire schema of `spec`, source of the CRD. */
  readonly schema: z.ZodType;
  /**
   * Names of the Secrets of its own namespace that `spec` refers to, each once; `spec` is as the object has it, valid or
   * not. What `compile` asks for is among them. Never throws.
   */
  secretRefs(spec: unknown): readonly string[];
  /**
   * Starts work that nobody waits for (discovery). `config` was made by this kind's `compile`. `before`: the running
   * instance of the same object with another config, whose place this one takes; what that knows may be taken over.
   */
  start(config: PluginConfig, world: PluginWorld, before?: PluginInstance): PluginInstance;
}

/** The world, handed in. */
export interface PluginWorld {
  /** Milliseconds since the epoch. */
  now(): number;
  random(bytes: number): Buffer;
  readonly keys: KeyRing;
  /** Observations of this instance. Can't throw. */
  observe(event: PluginEvent): void;
  readonly log: PluginLog;
  readonly network: PluginNetwork;
}

/** Which addresses an instance may connect to, and through what. */
export interface PluginNetwork {
  /** `--provider-addresses`: for each address that the object names, or that what it names leads to, at each connect. */
  readonly addresses: AddressPolicy;
  /** The admin and debug listeners of this process (A174), which are connected to under no policy. */
  isOwn(address: string, port: number): boolean;
  /** Every address of a name; absent: the system's resolver. */
  lookUp?(
    name: string,
    found: (
      error: NodeJS.ErrnoException | null,
      addresses: readonly { readonly address: string; readonly family: number }[],
    ) => void,
  ): void;
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of this process. The operator's own, so `addresses` doesn't hold for them. */
  readonly proxies: ProxyRules;
}

export interface PluginLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export type PluginEvent =
  | { readonly kind: 'LoginStarted' }
  | { readonly kind: 'LoginReturned' }
  | { readonly kind: 'LoginExchanged' }
  /** `seconds` from the redirect to the session; `bytes` of all its cookies. */
  | { readonly kind: 'SessionCreated'; readonly seconds: number; readonly bytes: number }
  /** `reason`: closed set, lower snake case. */
  | { readonly kind: 'LoginFailed'; readonly reason: string }
  | { readonly kind: 'Unauthenticated'; readonly reason: string }
  | { readonly kind: 'Logout'; readonly how: 'local' | 'rp_initiated' }
  | {
      readonly kind: 'ProviderCall';
      readonly endpoint: 'discovery' | 'jwks' | 'token' | 'userinfo';
      readonly result: 'ok' | 'error' | 'timeout';
      readonly seconds: number;
    };

/** What a kind writes; `definePluginKind` erases its types so that a list can hold several. */
export interface PluginKindDefinition<Wire, Spec, Config> {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly schema: z.ZodType<Wire>;
  /** What the schema can't say. */
  check(wire: Wire): Checked<Spec>;
  compile(
    resource: PluginResource,
    spec: Spec,
    context: PluginCompileContext,
  ): Checked<Omit<CompiledPlugin, 'config'> & { readonly config: Config }>;
  start(config: Config, identity: PluginConfig, world: PluginWorld, before: PluginInstance | undefined): PluginInstance;
  /** Fields of `spec` that refer to a Secret of the same namespace, as objects with a `name`. */
  readonly secretFields: readonly FieldPath[];
  /** Turns problems of the schema into ours. */
  problems(error: z.ZodError): readonly Problem[];
  /** For required fields, so that the rest of a spec in which they are missing can be checked too. */
  readonly standIns?: Readonly<Record<string, unknown>>;
}

/** The texts at `name` of each of the fields, where there are any. */
function namesAt(spec: unknown, fields: readonly FieldPath[]): readonly string[] {
  const names = fields.map((field) => [...field, 'name'].reduce(memberOf, spec));
  return [...new Set(names.filter((name) => typeof name === 'string'))];
}

const memberOf = (value: unknown, key: string | number): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;

/** What `check` says of a spec that the schema refuses: whoever wrote it hears of everything at once. */
function problemsOfRest<Wire>(
  { schema, check, standIns }: Pick<PluginKindDefinition<Wire, unknown, unknown>, 'schema' | 'check' | 'standIns'>,
  spec: unknown,
): readonly Problem[] {
  const remains = remainsOf(spec, schema, standIns ?? {});
  const checked = remains === undefined ? undefined : check(remains.value);
  return remains === undefined || checked?.ok !== false ? [] : remains.told(checked.problems, ['spec']);
}

/**
 * The one place where a kind's own types are erased and found again: what `parse` and `compile` of a kind produced comes
 * back to the same kind only, which the kind name of the carrier proves.
 */
export function definePluginKind<Wire, Spec, Config>(definition: PluginKindDefinition<Wire, Spec, Config>): PluginKind {
  const mine = (kind: string): void => {
    if (kind !== definition.kind) throw new Error(`${definition.kind} was handed a ${kind}`);
  };
  return {
    kind: definition.kind,
    plural: definition.plural,
    shortNames: definition.shortNames,
    schema: definition.schema,
    secretRefs: (spec) => namesAt(spec, definition.secretFields),
    parse(spec) {
      const wire = definition.schema.safeParse(spec);
      if (wire.success) return definition.check(wire.data);
      return { ok: false, problems: [...definition.problems(wire.error), ...problemsOfRest(definition, spec)] };
    },
    compile(resource, context) {
      mine(resource.pluginKind);
      const compiled = definition.compile(resource, resource.spec as Spec, context);
      if (!compiled.ok) return compiled;
      const { config, ...rest } = compiled.value;
      const identity = resource.meta.uid ?? resource.name;
      return {
        ok: true,
        value: { ...rest, config: { key: resource.key, identity, kind: definition.kind, value: config } },
      };
    },
    start(config, world, before) {
      mine(config.kind);
      return definition.start(config.value as Config, config, world, before);
    },
  };
}
