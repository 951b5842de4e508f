import { GROUP } from '../../resources/metadata.ts';
import { isPlain, own } from '../../resources/plain.ts';
import type { KubernetesApi } from './api.ts';
import type { KindName } from './collections.ts';
import { openApiNews, servedSchema } from './openapi.ts';
import type { Log, Timers } from './world.ts';

export interface SchemaCheckOptions {
  readonly api: KubernetesApi;
  readonly kinds: readonly KindName[];
  readonly log: Log;
  readonly timers: Timers;
}

const AGAIN = 600_000;

/**
 * Says which fields of `spec` the API server doesn't know, although this build does: it takes them out of every object without a
 * word, and a Route whose `authorization` was taken out is open to more people than its owner wrote (F09). `stop` ends it.
 */
export function watchServedSchema(options: SchemaCheckOptions): { stop(): void } {
  const stopping = new AbortController();
  let cancel = (): void => {};
  const news = openApiNews(options.api);
  let said = '';

  async function check(): Promise<void> {
    const document = await news(stopping.signal);
    if (stopping.signal.aborted) return;
    if (document !== undefined) say(missingFields(document, options.kinds).join('; '));
    cancel = options.timers.after(AGAIN, () => void check());
  }

  function say(text: string): void {
    if (text !== said && text !== '') options.log.warn({}, text);
    if (text === '' && said !== '')
      options.log.info({}, 'the CustomResourceDefinitions have every field that is needed');
    said = text;
  }

  if (options.kinds.some(({ fields = [] }) => fields.length > 0)) void check();
  return {
    stop() {
      stopping.abort();
      cancel();
    },
  };
}

/** Messages, one for each kind that lacks something. */
function missingFields(document: unknown, kinds: readonly KindName[]): readonly string[] {
  return kinds.flatMap(({ kind, plural, fields = [] }) => {
    const served = own(servedSchema(document, kind, 'spec'), 'properties');
    const missing = isPlain(served) ? fields.filter((field) => !Object.hasOwn(served, field)) : [];
    return missing.length === 0 ? [] : [older(plural, missing)];
  });
}

const older = (plural: string, missing: readonly string[]): string =>
  `the CustomResourceDefinition ${plural}.${GROUP} is older than this Postern: the API server takes ${missing
    .map((field) => `spec.${field}`)
    .join(', ')} out of what is applied; kubectl apply --server-side -f crds/`;
