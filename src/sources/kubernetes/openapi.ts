import { API_VERSION, GROUP } from '../../resources/metadata.ts';
import { isPlain, own } from '../../resources/plain.ts';
import type { KubernetesApi } from './api.ts';

/** What the API server says of our group (OpenAPI v3); undefined where it doesn't say. Never rejects. */
export async function readOpenApi(api: KubernetesApi, signal: AbortSignal): Promise<unknown> {
  try {
    const { status, body } = await api.call({ method: 'GET', path: `/openapi/v3/apis/${API_VERSION}`, signal });
    return status === 200 ? body : undefined;
  } catch {
    return undefined;
  }
}

const INDEX = '/openapi/v3';

/**
 * The same, where it is another than the time before: the document is 200 KB, and the list of all documents says by a few KB
 * whether ours changed (its address has a hash). Undefined where it didn't, or the API server doesn't say.
 */
export function openApiNews(api: KubernetesApi): (signal: AbortSignal) => Promise<unknown> {
  let known: string | undefined;
  return async (signal) => {
    const address = await addressOf(api, signal);
    if (address !== undefined && address === known) return undefined;
    const document = await readOpenApi(api, signal);
    if (document !== undefined) known = address;
    return document;
  };
}

/** With the hash of its content; undefined where that isn't said. */
async function addressOf(api: KubernetesApi, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { body } = await api.call({ method: 'GET', path: INDEX, signal });
    const address = own(own(own(body, 'paths'), `apis/${API_VERSION}`), 'serverRelativeURL');
    return typeof address === 'string' && address.includes('hash=') ? address : undefined;
  } catch {
    return undefined;
  }
}

/** Schema of `spec` or `status` of a kind, as it is served; undefined where it says nothing of its fields. */
export function servedSchema(document: unknown, kind: string, part: 'spec' | 'status'): unknown {
  const schemas = own(own(document, 'components'), 'schemas');
  for (const schema of isPlain(schemas) ? Object.values(schemas) : []) {
    const names = own(schema, 'x-kubernetes-group-version-kind');
    if (!Array.isArray(names) || !names.some((name) => own(name, 'group') === GROUP && own(name, 'kind') === kind))
      continue;
    const found = own(own(schema, 'properties'), part);
    if (isPlain(own(found, 'properties'))) return found;
  }
  return undefined;
}
