import type { ExternalAddress } from '../resources/external.ts';
import type { IdentityHeaders } from '../resources/identity-headers.ts';
import type { ObjectKey } from '../resources/keys.ts';
import type { RoutePath } from '../resources/path.ts';
import type { Checked, FieldPath, Problem } from '../resources/problem.ts';
import type { Redacted } from '../resources/redacted.ts';
import type { PluginResource } from '../resources/resource.ts';

/** What compiling needs to know of a plugin kind; the pure half of plugins/contract.ts. */
export interface PluginRules {
  /** `OidcPlugin`. */
  readonly kind: string;
  /** Wire form of `spec` to the checked form that `PluginResource.spec` carries. Never throws. */
  parse(spec: unknown): Checked<unknown>;
  /** Resolves references and says what the plugin becomes. Pure; never throws. */
  compile(resource: PluginResource, context: PluginCompileContext): Checked<CompiledPlugin>;
}

export interface PluginCompileContext {
  readonly secret: SecretReader;
  readonly external: ExternalAddress;
  /** Headers that a plugin may emit: the fixed set and what `--identity-headers` adds; absent: the fixed set. */
  readonly identityHeaders?: IdentityHeaders;
}

/** One key of a Secret of the plugin's own namespace; problems are reported at `path`. */
export type SecretReader = (name: string, key: string, path: FieldPath) => Checked<Redacted>;

export interface CompiledPlugin {
  readonly config: PluginConfig;
  /** Paths that the plugin answers itself on every host where a Route names it. */
  readonly reserved: readonly ReservedPath[];
  /** Worth telling, though the plugin works: lint of `validate`, `insecure.*` conditions. */
  readonly warnings: readonly Problem[];
  /** Settings in use that weaken it, as paths of its spec (`insecure.httpCookies`); shown as condition `Insecure`. */
  readonly insecure?: readonly string[];
  /** Who can log in: a public provider, where anybody can have an account, needs an authorization rule. */
  readonly openSignUp: boolean;
}

export interface ReservedPath {
  readonly purpose: 'callback' | 'logout';
  readonly path: RoutePath;
}

/** Everything an instance needs, plain data (secrets inside Redacted). Equal configs keep their instance. */
export interface PluginConfig {
  readonly key: ObjectKey;
  /** UID, or in files mode `namespace/name`: what sessions are bound to. */
  readonly identity: string;
  readonly kind: string;
  /** Shape known to the kind only. */
  readonly value: unknown;
}
