import { API_VERSION, GATEWAY_GROUP, GROUP } from '../../resources/metadata.ts';
import type { Collection } from './collection.ts';
import { SELECTORS, type Selection } from './secret-record.ts';

/** Kinds of the group `postern.dev`. */
export interface KindName {
  readonly kind: string;
  readonly plural: string;
  /** Fields of `spec` that the API server should know. */
  readonly fields?: readonly string[];
}

/** What one list-watch brings, and where its objects go. */
export type Watched = Collection & {
  readonly target: 'Object' | 'CoreService' | 'Slice' | 'Grant' | Selection;
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  /** What its objects get, for items of a list say neither. */
  readonly apiVersion: string;
  /** As RBAC calls it: `routes.postern.dev`. */
  readonly resource: string;
};

export const SERVICE_AND_ROUTE: readonly KindName[] = [
  { kind: 'Service', plural: 'services' },
  { kind: 'Route', plural: 'routes' },
];

/** Objects that can be large come in smaller pages. */
const SMALL_PAGE = 100;

/** Of one namespace, or of all of them: with only namespaced calls, Roles suffice. */
export function collectionsOf(namespace: string | undefined, pluginKinds: readonly KindName[]): readonly Watched[] {
  const path = (api: string, plural: string): string =>
    namespace === undefined ? `${api}/${plural}` : `${api}/namespaces/${namespace}/${plural}`;
  const grants = (version: string): string => path(`/apis/${GATEWAY_GROUP}/${version}`, 'referencegrants');
  const core = { namespace, apiVersion: 'v1' };
  const secrets = { ...core, kind: 'Secret', path: path('/api/v1', 'secrets'), limit: SMALL_PAGE, resource: 'secrets' };
  return [
    ...[...SERVICE_AND_ROUTE, ...pluginKinds].map(
      ({ kind, plural }): Watched => ({
        kind,
        target: 'Object',
        path: path(`/apis/${API_VERSION}`, plural),
        namespace,
        apiVersion: API_VERSION,
        resource: `${plural}.${GROUP}`,
      }),
    ),
    { ...core, kind: 'CoreService', target: 'CoreService', path: path('/api/v1', 'services'), resource: 'services' },
    {
      kind: 'EndpointSlice',
      target: 'Slice',
      path: path('/apis/discovery.k8s.io/v1', 'endpointslices'),
      limit: SMALL_PAGE,
      namespace,
      apiVersion: 'discovery.k8s.io/v1',
      resource: 'endpointslices.discovery.k8s.io',
    },
    {
      kind: 'ReferenceGrant',
      target: 'Grant',
      path: grants('v1beta1'),
      otherPath: grants('v1'),
      namespace,
      apiVersion: `${GATEWAY_GROUP}/v1beta1`,
      resource: `referencegrants.${GATEWAY_GROUP}`,
    },
    { ...secrets, target: 'Label', ...SELECTORS.Label },
    { ...secrets, target: 'Type', ...SELECTORS.Type },
  ];
}
