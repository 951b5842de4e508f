import { NO_NEEDS } from '../authorization/identity.ts';
import type { HostPattern } from '../resources/hostname.ts';
import type { PathMatch, Timeouts } from '../resources/resource.ts';
import type { ClosedBy, Closures } from './closures.ts';
import { nodeKey } from './closures.ts';
import type { RouteDraft } from './compile-routes.ts';
import type { Place } from './conflicts.ts';
import { exposureOf } from './exposure.ts';
import type { GuardedBackends } from './guards.ts';
import type { PlacedDraft, Reservations } from './reserved.ts';
import type { RouteEntry } from './snapshot.ts';

/** A valid Route at one host and path. */
export interface PlacedEntry {
  readonly draft: RouteDraft;
  readonly entry: RouteEntry;
  /** The invalid Route that closes this place, so that the entry is never asked. */
  readonly behind: ClosedBy | undefined;
}

export function routeEntries(
  placed: readonly PlacedDraft[],
  closures: Closures,
  reservations: Reservations,
  guarded: GuardedBackends,
): readonly PlacedEntry[] {
  const closedNodes = new Map(closures.places.map((place) => [nodeKey(place.host, place.path), place]));
  const closedNode = ({ host, path }: Place): ClosedBy | undefined =>
    closedNodes.size === 0 ? undefined : closedNodes.get(nodeKey(host, path));
  return placed.flatMap(({ draft, places }) =>
    places.kept.map((place) => ({
      draft,
      entry: routeEntry(draft, place, reservations, guarded),
      behind: closures.hosts.get(place.host) ?? closedNode(place),
    })),
  );
}

function routeEntry(draft: RouteDraft, place: Place, reservations: Reservations, guarded: GuardedBackends): RouteEntry {
  const { route } = draft;
  const exposed = exposureOf(draft, place.host, reservations);
  const at = { route: route.name, host: place.host, path: place.path, methods: place.methods, headers: route.headers };
  if (exposed.kind === 'Denied') return { ...at, ...refused, action: { kind: 'Refuse', reason: exposed.reason } };
  const { service } = exposed;
  const isProtected = exposed.kind === 'Protected';
  return {
    ...at,
    exposure: exposed.kind,
    action: {
      kind: 'Forward',
      service: service.name,
      backend: service.backend,
      timeouts: timeoutsOf(draft, service.timeouts),
    },
    plugins: isProtected ? draft.plugins : [],
    authorization: isProtected ? draft.policy : undefined,
    needs: isProtected ? draft.needs : NO_NEEDS,
    removeAuthorization:
      isProtected || (route.clientAuthorization !== 'Pass' && guarded.has(service.name, service.backend)),
    encodedSlashes: route.encodedSlashes,
  };
}

/** What an invalid Route becomes at a place that it closes: every method, no headers, ahead of everybody. */
export const closedEntry = (by: ClosedBy, host: HostPattern, path: PathMatch): RouteEntry => ({
  route: by.route,
  host,
  path,
  methods: undefined,
  headers: [],
  ...refused,
  action: { kind: 'Refuse', reason: by.reason },
});

const refused = {
  exposure: 'Denied',
  plugins: [],
  authorization: undefined,
  needs: NO_NEEDS,
  removeAuthorization: true,
  encodedSlashes: 'Reject',
} as const;

function timeoutsOf({ route }: RouteDraft, service: Timeouts): Timeouts {
  const { response, idle } = route.timeouts;
  return { connect: service.connect, response: response ?? service.response, idle: idle ?? service.idle };
}
