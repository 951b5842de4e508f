import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { helm } from '../../scripts/chart/helm.ts';

export const CHART = join(import.meta.dirname, '..', '..', 'charts', 'postern');
const NAMESPACE = 'postern-system';
export const CI_VALUES = readdirSync(join(CHART, 'ci')).map((name) => join('ci', name));

export interface Rendered {
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly namespace: string | undefined;
  /** The object as rendered. */
  readonly object: Readonly<Record<string, unknown>>;
}

export type Rendering =
  | { readonly ok: true; readonly text: string; readonly objects: readonly Rendered[] }
  | { readonly ok: false; readonly message: string };

/** `helm template` with these arguments, such as `--set a=b` or `-f file`; `values` as data. */
export async function render(args: readonly string[], values?: unknown): Promise<Rendering> {
  const own = values === undefined ? [] : ['-f', '-'];
  const all = ['template', 'postern', CHART, '--namespace', NAMESPACE, ...own, ...args];
  const ran = await helm(all, JSON.stringify(values ?? {}));
  if (ran.code !== 0) return { ok: false, message: ran.stderr };
  const objects = parseAllDocuments(ran.stdout, { version: '1.1' }).map((document): unknown => document.toJS());
  return { ok: true, text: ran.stdout, objects: objects.filter((value) => value !== null).map(rendered) };
}

/** The objects; throws with Helm's message where there are none. */
export async function objectsOf(values: unknown, ...args: readonly string[]): Promise<readonly Rendered[]> {
  const rendering = await render(args, values);
  if (!rendering.ok) throw new Error(rendering.message);
  return rendering.objects;
}

function rendered(value: unknown): Rendered {
  const object = record(value);
  const metadata = record(object['metadata']);
  const namespace = metadata['namespace'];
  return {
    kind: String(object['kind']),
    apiVersion: String(object['apiVersion']),
    name: String(metadata['name']),
    namespace: typeof namespace === 'string' ? namespace : undefined,
    object,
  };
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** What is at a path of names and indexes; undefined where there is nothing. */
export const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce((inner: unknown, step) => (Array.isArray(inner) ? inner[Number(step)] : record(inner)[step]), value);
