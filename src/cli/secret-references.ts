import type { PluginKind } from '../plugins/contract.ts';
import { DNS_SUBDOMAIN } from '../resources/keys.ts';
import { DEFAULT_CLASS } from '../resources/metadata.ts';
import { own } from '../resources/plain.ts';

/**
 * `namespace/name` of the Secrets that one object of an API server refers to, valid or not: the data of no others is held.
 * An object of another class is none of ours.
 */
export function secretReferences(
  kinds: readonly Pick<PluginKind, 'kind' | 'secretRefs'>[],
  className: string,
): (value: unknown) => readonly string[] {
  return (value) => {
    const spec = own(value, 'spec');
    const namespace = own(own(value, 'metadata'), 'namespace');
    if (typeof namespace !== 'string' || (own(spec, 'class') ?? DEFAULT_CLASS) !== className) return [];
    // What can't be a name is asked for nowhere, and said when the object is compiled (A173).
    const names = namesIn(kinds, own(value, 'kind'), spec).filter((name) => DNS_SUBDOMAIN.test(name));
    return names.map((name) => `${namespace}/${name}`);
  };
}

function namesIn(
  kinds: readonly Pick<PluginKind, 'kind' | 'secretRefs'>[],
  kind: unknown,
  spec: unknown,
): readonly string[] {
  if (kind === 'Route') {
    const name = own(own(own(spec, 'tls'), 'secretRef'), 'name');
    return typeof name === 'string' ? [name] : [];
  }
  if (kind === 'Service') {
    const tls = own(spec, 'tls');
    const names = [own(own(tls, 'caRef'), 'name'), own(own(tls, 'clientCertRef'), 'name')];
    return names.filter((name) => typeof name === 'string');
  }
  return kinds.find((plugin) => plugin.kind === kind)?.secretRefs(spec) ?? [];
}
