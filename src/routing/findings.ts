import type { ObjectKey } from '../resources/keys.ts';
import type { Metadata } from '../resources/metadata.ts';
import { type Problem, sentences } from '../resources/problem.ts';
import type { HostShare } from './compile-host.ts';
import type { Hosts } from './compile-hosts.ts';
import type { RouteDraft } from './compile-routes.ts';
import type { Verdict } from './snapshot.ts';

/** A valid Route, and what became of it on each of its hosts, in the order in which it names them. */
export interface PlacedRoute {
  readonly draft: RouteDraft;
  readonly shares: readonly HostShare[];
}

export const placedRoute = (draft: RouteDraft, hosts: Pick<Hosts, 'get'>): PlacedRoute => ({
  draft,
  shares: draft.at.hosts.flatMap((host) => hosts.get(host)?.shares.get(draft) ?? []),
});

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
