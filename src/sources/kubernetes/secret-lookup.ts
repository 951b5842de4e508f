import { own } from '../../resources/plain.ts';
import type { ApiResponse, KubernetesApi } from './api.ts';
import { SELECTORS, type Selection } from './secret-record.ts';
import { type Item, readPage } from './watch-event.ts';

/** One Secret, looked for by name. */
export type Found =
  | { readonly kind: 'Selected'; readonly items: ReadonlyMap<Selection, Item> }
  /** There is one, but neither labelled nor a certificate: its data is not asked for. */
  | { readonly kind: 'Unselected'; readonly type: string }
  | { readonly kind: 'Absent' }
  /** The API server doesn't say. */
  | { readonly kind: 'Unknown' };

/** Of a Secret that isn't ours to read, its columns are: name, type, number of keys, age. */
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const TIMEOUT = 4000;
const UNKNOWN: Found = { kind: 'Unknown' };

/**
 * The selectors go with the question, so that the API server never hands out data of a Secret that nobody meant for
 * Postern; and the verb `list` is enough. `name`: `namespace/name`. Never rejects.
 */
export async function lookUp(api: KubernetesApi, name: string, signal: AbortSignal): Promise<Found> {
  const [namespace = '', ownName = ''] = name.split('/');
  const ask = async (query: Readonly<Record<string, string>>, accept?: string): Promise<ApiResponse | undefined> => {
    try {
      const response = await api.call({
        method: 'GET',
        path: `/api/v1/namespaces/${namespace}/secrets`,
        query,
        timeout: TIMEOUT,
        signal,
        ...(accept === undefined ? {} : { accept }),
      });
      return response.status === 200 ? response : undefined;
    } catch {
      return undefined;
    }
  };
  const byName = `metadata.name=${ownName}`;
  const [labelled, certificate] = await Promise.all([
    ask({ ...SELECTORS.Label, fieldSelector: byName }),
    ask({ fieldSelector: `${byName},${SELECTORS.Type.fieldSelector}` }),
  ]);
  const pages = { Label: readPage(labelled?.body), Type: readPage(certificate?.body) };
  if (pages.Label === undefined || pages.Type === undefined) return UNKNOWN;
  const items = new Map<Selection, Item>();
  for (const selection of ['Label', 'Type'] as const) {
    const item = pages[selection]?.items.find((one) => one.name === name);
    if (item !== undefined) items.set(selection, item);
  }
  if (items.size > 0) return { kind: 'Selected', items };
  const table = await ask({ fieldSelector: byName, includeObject: 'None' }, TABLE);
  return table === undefined ? UNKNOWN : readTable(table.body, ownName);
}

function readTable(body: unknown, name: string): Found {
  const [columns, rows] = [own(body, 'columnDefinitions'), own(body, 'rows') ?? []];
  if (own(body, 'kind') !== 'Table' || !Array.isArray(columns) || !Array.isArray(rows)) return UNKNOWN;
  const column = (title: string): number => columns.findIndex((one: unknown) => own(one, 'name') === title);
  const cell = (row: unknown, at: number): unknown => {
    const cells = own(row, 'cells');
    return Array.isArray(cells) ? cells[at] : undefined;
  };
  const row = rows.find((one: unknown) => cell(one, column('Name')) === name);
  if (row === undefined) return { kind: 'Absent' };
  const type = cell(row, column('Type'));
  return { kind: 'Unselected', type: typeof type === 'string' ? type : 'Opaque' };
}
