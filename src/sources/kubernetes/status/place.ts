import { API_VERSION } from '../../../resources/metadata.ts';
import type { ApiRequest } from '../api.ts';
import type { EventSubject } from '../events/event.ts';

export interface ReportedKind {
  readonly kind: string;
  readonly plural: string;
  /** Whether it has instances, and so `ProviderReady`. */
  readonly plugin: boolean;
}

/** Where the status of an object is written to. */
export interface Place {
  readonly kind: ReportedKind;
  readonly subject: Omit<EventSubject, 'uid'>;
  readonly path: string;
  readonly scope: string;
}

/** Undefined: a kind of which nothing is reported. */
export function placeOf(key: string, kinds: ReadonlyMap<string, ReportedKind>): Place | undefined {
  const [kindName = '', namespace = '', name = ''] = key.split('/');
  const kind = kinds.get(kindName);
  if (kind === undefined) return undefined;
  return {
    kind,
    subject: { apiVersion: API_VERSION, kind: kindName, namespace, name },
    path: `/apis/${API_VERSION}/namespaces/${namespace}/${kind.plural}/${name}/status`,
    scope: `${namespace}/${kind.plural}`,
  };
}

/**
 * Server-side apply: of lists by type and fields that we don't name any more, ours go. With the version that was read: an
 * object that was made anew meanwhile, or that a newer leader wrote to, is answered with 409 (its uid would be ignored).
 * @param status undefined: none, so that all of our fields go
 */
export const applyOf = (place: Place, fieldManager: string, resourceVersion: string, status: unknown): ApiRequest => ({
  method: 'PATCH',
  path: place.path,
  query: { fieldManager, force: 'true' },
  contentType: 'application/apply-patch+yaml',
  body: {
    apiVersion: place.subject.apiVersion,
    kind: place.subject.kind,
    metadata: { name: place.subject.name, namespace: place.subject.namespace, resourceVersion },
    ...(status === undefined ? {} : { status }),
  },
});
