import { NO_NEEDS } from '../authorization/identity.ts';
import type { HostPattern } from '../resources/hostname.ts';
import type { PathMatch, ServiceResource, Timeouts } from '../resources/resource.ts';
import type { ClosedBy, HostClosure } from './closures.ts';
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

/** What decides about the entries of one host, besides each Route itself. */
export interface EntryWorld {
  readonly reservations: Reservations;
  readonly closure: HostClosure;
  /** Of `closure`. */
  readonly closedNodes: ReadonlyMap<string, ClosedBy>;
  readonly guarded: GuardedBackends;
}

/**
 * The entries of one Route on one host. `before`: those that the very same draft had in the run before; what says nothing
 * else stays the same value.
 */
export function routeEntries(
  { draft, places }: PlacedDraft,
  { reservations, closure, closedNodes: closed, guarded }: EntryWorld,
  before: readonly PlacedEntry[],
): readonly PlacedEntry[] {
  const denials = reservations.denials;
  return places.kept.map((place, at) => {
    const entry = routeEntry(draft, place, denials, guarded);
    const behind = closedAt(place, closure, closed);
    const was = before[at];
    return was !== undefined && sameClosing(was.behind, behind) && sameEntry(was.entry, entry)
      ? was
      : { draft, entry, behind };
  });
}

function closedAt(
  { host, path }: Place,
  closure: HostClosure,
  closed: EntryWorld['closedNodes'],
): ClosedBy | undefined {
  const node = closed.size === 0 ? undefined : closed.get(nodeKey(host, path));
  return closure.whole ?? node ?? (path.type === 'RegularExpression' ? closure.patterns : undefined);
}

/** Of several invalid Routes that close one place the last is named. */
export const closedNodes = ({ places }: HostClosure): ReadonlyMap<string, ClosedBy> =>
  new Map(places.map((place) => [nodeKey(place.host, place.path), place]));

const sameClosing = (a: ClosedBy | undefined, b: ClosedBy | undefined): boolean =>
  a === b || (a?.route === b?.route && a?.reason === b?.reason);

/** Of entries of the same draft: in everything else they can't differ. */
const sameEntry = (a: RouteEntry, b: RouteEntry): boolean =>
  a.path === b.path &&
  a.exposure === b.exposure &&
  a.removeAuthorization === b.removeAuthorization &&
  a.methods?.join() === b.methods?.join() &&
  (a.action.kind === 'Refuse' && b.action.kind === 'Refuse'
    ? a.action.reason === b.action.reason
    : a.action.kind === b.action.kind);

function routeEntry(
  draft: RouteDraft,
  place: Place,
  denials: Reservations['denials'],
  guarded: GuardedBackends,
): RouteEntry {
  const { route } = draft;
  const exposed = exposureOf(draft, denials);
  const { name, headers, queryParams } = route;
  const at = { route: name, host: place.host, path: place.path, methods: place.methods, headers, queryParams };
  if (exposed.kind === 'Denied') {
    return { ...at, ...refused, action: { kind: 'Refuse', reason: exposed.reason, to: leadingTo(draft.service) } };
  }
  const { service } = exposed;
  const isProtected = exposed.kind === 'Protected';
  return {
    ...at,
    exposure: exposed.kind,
    action: {
      kind: 'Forward',
      service: service.name,
      backend: service.backend,
      upstream: exposed.upstream,
      timeouts: timeoutsOf(draft, service.timeouts),
    },
    plugins: isProtected ? draft.plugins : [],
    authorization: isProtected ? draft.policy : undefined,
    needs: isProtected ? draft.needs : NO_NEEDS,
    removeAuthorization: isProtected || (route.clientAuthorization !== 'Pass' && guarded.get(service)),
    encodedSlashes: route.encodedSlashes,
    maxRequestBody: route.maxRequestBody,
    websocket: route.websocket,
    filters: draft.filters,
  };
}

const leadingTo = (service: ServiceResource | undefined): Extract<RouteEntry['action'], { kind: 'Refuse' }>['to'] =>
  service && { backend: service.backend, basePath: service.upstream.policy.basePath };

/** What an invalid Route becomes at a place that it closes: every method, no headers, ahead of everybody. */
export const closedEntry = (by: ClosedBy, host: HostPattern, path: PathMatch): RouteEntry => ({
  route: by.route,
  host,
  path,
  methods: undefined,
  headers: [],
  queryParams: undefined,
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
  maxRequestBody: undefined,
} as const;

function timeoutsOf({ route }: RouteDraft, service: Timeouts): Timeouts {
  const { response, idle, request = service.request } = route.timeouts;
  const times = { connect: service.connect, response: response ?? service.response, idle: idle ?? service.idle };
  return request === undefined ? times : { ...times, request };
}
