import { DNS_SUBDOMAIN, namespacedName } from '../resources/keys.ts';
import { invalid, problem, valid } from '../resources/problem.ts';
import type { Objects } from './objects.ts';
import type { SecretReader } from './plugin-rules.ts';

/** Reads keys of the Secrets of one namespace, and of no other (A172, A173). */
export function secretReader(objects: Objects, namespace: string): SecretReader {
  return (name, key, path) => {
    if (!DNS_SUBDOMAIN.test(name)) {
      return invalid(problem('SecretInvalid', path, `${JSON.stringify(name)} can't be the name of a Secret`));
    }
    const full = namespacedName(namespace, name);
    const found = objects.secrets.get(full);
    if (found === undefined) {
      const message = `there is no Secret ${full}; create it with the key ${JSON.stringify(key)}, or name another`;
      return invalid(problem('SecretNotFound', path, message));
    }
    if (found.kind === 'Broken') {
      return invalid(problem('SecretInvalid', path, `Secret ${full} is invalid; correct it first`));
    }
    const value = found.value.data.get(key);
    if (value !== undefined) return valid(value);
    const keys = [...found.value.data.keys()].sort().join(', ');
    const message = `Secret ${full} has no key ${JSON.stringify(key)}; ${keys === '' ? 'it is empty' : `it has ${keys}`}`;
    return invalid(problem('SecretKeyMissing', path, message));
  };
}
