import type { HostPattern } from '../resources/hostname.ts';
import type { ObjectKey } from '../resources/keys.ts';
import type { Metadata } from '../resources/metadata.ts';
import { type Problem, sentences } from '../resources/problem.ts';
import type { Certificates } from './certificates.ts';
import type { CompiledHost, HostShare } from './compile-host.ts';
import type { PluginState } from './compile-plugins.ts';
import type { RouteDraft } from './compile-routes.ts';
import type { Objects } from './objects.ts';
import type { Known } from './references.ts';
import type { Verdict } from './snapshot.ts';

/** A valid Route, and what became of it on each of its hosts, in the order in which it names them. */
export interface PlacedRoute {
  readonly draft: RouteDraft;
  readonly shares: readonly HostShare[];
}

/** What compiling found, as far as verdicts tell it. */
export interface Findings {
  readonly objects: Objects;
  readonly known: Known;
  /** Of `known`, all of them. */
  readonly plugins: ReadonlyMap<ObjectKey, PluginState>;
  readonly placed: readonly PlacedRoute[];
  readonly hosts: ReadonlyMap<HostPattern, CompiledHost>;
  readonly certificates: Certificates;
}

/** A verdict on an object that says nothing but what `rest` says. */
export function verdict(of: { readonly key: ObjectKey; readonly meta: Metadata }, rest: Partial<Verdict>): Verdict {
  return {
    key: of.key,
    observedGeneration: of.meta.generation,
    conditions: [],
    problems: [],
    warnings: [],
    exposure: undefined,
    authorization: undefined,
    redirectURIs: [],
    routes: undefined,
    ...rest,
  };
}

export const messages = (problems: readonly Problem[]): string => sentences(problems.map(({ message }) => message));
