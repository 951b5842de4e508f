import { DNS_SUBDOMAIN, type NamespacedName, nameOf, namespacedName, namespaceOf } from '../resources/keys.ts';
import { SECRET_LABEL } from '../resources/metadata.ts';
import { type Checked, type FieldPath, invalid, problem, valid } from '../resources/problem.ts';
import type { SecretResource } from '../resources/resource.ts';
import type { Lookup } from './cells.ts';
import type { Found } from './indexed.ts';
import type { CompileMode } from './options.ts';
import type { SecretReader } from './plugin-rules.ts';

/** The Secrets that Postern may see. */
export type Secrets = Lookup<NamespacedName, Found<SecretResource> | undefined>;

/** Reads keys of the Secrets of one namespace that are labelled, and of no other (A172, A173). `users`: who asks, for messages. */
export function secretReader(
  secrets: Secrets,
  namespace: string,
  mode: CompileMode,
  users: 'plugins' | 'Services' = 'plugins',
): SecretReader {
  return (name, key, path) => {
    const absent = (full: NamespacedName): string =>
      mode.kind === 'Files'
        ? `there is no Secret ${full}; create it with the key ${JSON.stringify(key)}, or name another`
        : `there is no Secret ${full} that is labelled for ${users}; create it with the key ${JSON.stringify(key)}, and label it: ${labelCommand(full)}`;
    const found = findSecret(name, namespace, path, { secrets, mode, absent });
    if (!found.ok) return found;
    const { name: full, labelled, data } = found.value;
    if (!labelled) {
      const message = `Secret ${full} isn't for ${users}, as long as whoever owns it doesn't say so: ${labelCommand(full)}`;
      return invalid(problem('SecretNotLabelled', path, message));
    }
    const value = data.get(key);
    if (value !== undefined) return valid(value);
    const keys = [...data.keys()].sort().join(', ');
    const message = `Secret ${full} has no key ${JSON.stringify(key)}; ${keys === '' ? 'it is empty' : `it has ${keys}`}`;
    return invalid(problem('SecretKeyMissing', path, message));
  };
}

export interface SecretSearch {
  readonly secrets: Secrets;
  readonly mode: CompileMode;
  /** What is said where there is none. */
  absent(name: NamespacedName): string;
}

/** The cookie keys are nobody's to name, so there is no such Secret. */
export function findSecret(
  name: string,
  namespace: string,
  path: FieldPath,
  { secrets, mode, absent }: SecretSearch,
): Checked<SecretResource> {
  if (!DNS_SUBDOMAIN.test(name)) {
    return invalid(problem('SecretInvalid', path, `${JSON.stringify(name)} can't be the name of a Secret`));
  }
  const full = namespacedName(namespace, name);
  if (mode.kind === 'Cluster' && mode.keysSecret === full) {
    const message = `Secret ${full} is Postern's own, which nothing refers to; name another`;
    return invalid(problem('SecretNotFound', path, message));
  }
  const found = secrets.get(full);
  if (found === undefined) {
    return invalid(problem('SecretNotFound', path, absent(full)));
  }
  if (found.kind === 'Broken') {
    return invalid(problem('SecretInvalid', path, `Secret ${full} is invalid; correct it first`));
  }
  return valid(found.value);
}

const labelCommand = (secret: NamespacedName): string =>
  `kubectl label secret ${nameOf(secret)} -n ${namespaceOf(secret)} ${SECRET_LABEL}=true`;
