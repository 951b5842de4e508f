import { type NamespacedName, nameOf, namespacedName, namespaceOf } from '../resources/keys.ts';
import { GATEWAY_GROUP, GROUP } from '../resources/metadata.ts';
import { type FieldPath, type Problem, problem } from '../resources/problem.ts';
import type { ReferenceGrantResource } from '../resources/resource.ts';
import { getOrAdd } from './collections.ts';
import type { CompileMode } from './options.ts';

/** Whose reference it is. */
export interface Referrer {
  readonly kind: 'Route' | 'Service';
  readonly namespace: string;
}
export interface Referent {
  readonly kind: string;
  readonly name: NamespacedName;
}

/** What may be referred to across namespaces; what is of the same one always may (A172). */
export interface Grants {
  permits(from: Referrer, to: Referent): boolean;
  /** What of the kind may be referred to in other namespaces. */
  granted(from: Referrer, kind: string): readonly Granted[];
}

/** One object, or every one of a namespace. */
export type Granted =
  | { readonly all: false; readonly name: NamespacedName }
  | { readonly all: true; readonly namespace: string };

export function grantsOf(resources: Iterable<ReferenceGrantResource>): Grants {
  const granted = new Map<string, Map<string, Granted>>();
  for (const { meta, from, to } of resources) {
    for (const source of from) {
      if (source.group !== GROUP) continue;
      for (const { group, kind, name } of to) {
        if (group !== GROUP) continue;
        const { namespace } = meta;
        const one: Granted =
          name === undefined ? { all: true, namespace } : { all: false, name: namespacedName(namespace, name) };
        getOrAdd(granted, `${source.kind} ${source.namespace} ${kind}`, () => new Map()).set(textOf(one), one);
      }
    }
  }
  const of = (from: Referrer, kind: string): ReadonlyMap<string, Granted> =>
    granted.get(`${from.kind} ${from.namespace} ${kind}`) ?? NOTHING;
  return {
    permits(from, { kind, name }) {
      const namespace = namespaceOf(name);
      if (from.namespace === namespace) return true;
      const there = of(from, kind);
      return there.has(textOf({ all: true, namespace })) || there.has(textOf({ all: false, name }));
    },
    granted: (from, kind) => [...of(from, kind).values()],
  };
}

const NOTHING: ReadonlyMap<string, Granted> = new Map();
const textOf = (granted: Granted): string => (granted.all ? `${granted.namespace}/` : granted.name);

/** The same whether or not there is such an object: who is granted nothing learns nothing (A172). */
export function notPermitted(from: Referrer, to: Referent, path: FieldPath, mode: CompileMode): Problem {
  const what = `${to.kind} ${to.name} is of another namespace`;
  const instead = `name one of namespace ${from.namespace}`;
  const message =
    mode.kind === 'Files'
      ? `${what}, which only a cluster has grants for; ${instead}`
      : `${what}, which has to grant that; ${instead}, or have this applied there: ${grantText(from, to)}`;
  return problem('RefNotPermitted', path, message);
}

/** YAML, in one line. */
const grantText = (from: Referrer, to: Referent): string =>
  `{apiVersion: ${GATEWAY_GROUP}/v1beta1, kind: ReferenceGrant, metadata: {name: from-${from.namespace}, namespace: ${namespaceOf(to.name)}}, ` +
  `spec: {from: [{group: ${GROUP}, kind: ${from.kind}, namespace: ${from.namespace}}], to: [{group: ${GROUP}, kind: ${to.kind}, name: ${nameOf(to.name)}}]}}`;
