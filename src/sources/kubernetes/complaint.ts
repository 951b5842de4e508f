import { API_VERSION } from '../../resources/metadata.ts';
import type { Watched } from './collections.ts';
import type { WatchState } from './told.ts';

/** What an operator is told of a collection that can't be listed or watched: what is wrong, and what to do. */
export function complaint(
  { target, namespace, resource }: Pick<Watched, 'target' | 'namespace' | 'resource'>,
  { code, message }: Pick<Extract<WatchState, { readonly kind: 'Failing' }>, 'code' | 'message'>,
): string {
  const where = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
  switch (code) {
    case 0:
      return `${message}; what was known before stays in use`;
    case 401:
      return 'the API server does not accept our credentials; the token of the ServiceAccount has expired or is of another cluster';
    case 403:
      return `may not list and watch ${resource} in ${where}: its role needs the verbs list and watch (${message})`;
    case 404:
      return target === 'Object'
        ? `the API server has no ${resource} of version ${API_VERSION}; its CustomResourceDefinition is missing or older: kubectl apply --server-side -f crds/`
        : `the API server has no ${resource}`;
    default:
      return `${resource} in ${where} can't be watched (${code}: ${message}); what was known before stays in use`;
  }
}
