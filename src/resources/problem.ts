/**
 * A problem with an object, as data on its way to a status condition, a log line or `postern validate`.
 * Exceptions are for bugs; whatever a user can write is answered with one of these.
 */

/** Reasons in the style of Gateway API; they become `reason` of a condition and are part of the API. */
export type Reason =
  | 'Invalid'
  | 'Duplicate'
  | 'Conflicted'
  | 'UnsupportedValue'
  | 'BackendNotFound'
  | 'BackendPortNotFound'
  | 'AddressNotAllowed'
  | 'PluginNotFound'
  | 'PluginInvalid'
  | 'ServiceInvalid'
  | 'SecretNotFound'
  | 'SecretKeyMissing'
  | 'SecretInvalid'
  | 'SecretNotLabelled'
  | 'InvalidSecretType'
  | 'RefNotPermitted'
  | 'AccessMissing'
  | 'AccessAmbiguous'
  | 'ReservedPath'
  /** The host belongs to another namespace. */
  | 'HostNotAllowed'
  /** The host needs an owner that the flags name. */
  | 'HostNotReserved'
  /** Not everything that decides was read yet. */
  | 'Pending'
  /** Of regular expressions of a host, which are all closed then. */
  | 'TooManyExpressions'
  /** Of certificates, which decide nothing about exposure. */
  | 'CertificateInvalid'
  | 'CertificateOverridden'
  /** Of warnings only. */
  | 'Closed'
  | 'NeverAsked'
  | 'OpensProtectedPath'
  | 'DiffersOnlyByCase'
  | 'DiffersOnlyBySlash'
  | 'OpenSignUp'
  | 'NoEffect'
  | 'InsecureSetting';

/** The way to a field, outermost first: `['spec', 'hosts', 0]`. */
export type FieldPath = readonly (string | number)[];

export interface Problem {
  readonly reason: Reason;
  readonly path: FieldPath;
  /**
   * What is wrong and what to write instead, to be read after the name of the field: `must be …; write …`. One sentence
   * without capital and full stop; no secret values.
   */
  readonly message: string;
}

export const problem = (reason: Reason, path: FieldPath, message: string): Problem => ({ reason, path, message });

/** `spec.hosts[0]`, as kubectl writes it; `` for the object itself. */
export function formatPath(path: FieldPath): string {
  let out = '';
  for (const part of path) {
    if (typeof part === 'number') out += `[${part}]`;
    else out += out === '' ? part : `.${part}`;
  }
  return out;
}

/** For messages of conditions: each of the texts as a sentence of its own. */
export const sentences = (texts: readonly string[]): string => texts.map((text) => text.replace(/\.?$/, '.')).join(' ');

/** A value, or everything that is wrong with it. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export const valid = <T>(value: T): Checked<T> => ({ ok: true, value });
export const invalid = (
  ...problems: readonly Problem[]
): { readonly ok: false; readonly problems: readonly Problem[] } => ({
  ok: false,
  problems,
});
