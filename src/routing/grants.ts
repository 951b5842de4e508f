import { type NamespacedName, nameOf, namespaceOf } from '../resources/keys.ts';
import { GATEWAY_GROUP, GROUP } from '../resources/metadata.ts';
import { type FieldPath, type Problem, problem } from '../resources/problem.ts';
import type { ReferenceGrantResource } from '../resources/resource.ts';
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
  /** Whether some object of the kind there may be referred to. */
  permitsAny(from: Referrer, kind: string, namespace: string): boolean;
}

export function grantsOf(resources: readonly ReferenceGrantResource[]): Grants {
  const permitted = new Set<string>();
  const someOf = new Set<string>();
  for (const { meta, from, to } of resources) {
    for (const source of from) {
      if (source.group !== GROUP) continue;
      for (const target of to) {
        if (target.group !== GROUP) continue;
        const text = `${source.kind} ${source.namespace} ${target.kind} ${meta.namespace}`;
        someOf.add(text);
        permitted.add(`${text}/${target.name ?? ''}`);
      }
    }
  }
  const permitsAny = (from: Referrer, kind: string, namespace: string): boolean =>
    from.namespace === namespace || someOf.has(`${from.kind} ${from.namespace} ${kind} ${namespace}`);
  return {
    permits(from, { kind, name }) {
      const namespace = namespaceOf(name);
      if (from.namespace === namespace) return true;
      if (!permitsAny(from, kind, namespace)) return false;
      const text = `${from.kind} ${from.namespace} ${kind} ${namespace}/`;
      return permitted.has(text) || permitted.has(`${text}${nameOf(name)}`);
    },
    permitsAny,
  };
}

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
