import { parseObject } from '../../../src/resources/parse.ts';
import { formatPath } from '../../../src/resources/problem.ts';
import { compileFilters, type RouteFilters } from '../../../src/routing/filters.ts';

export type FilterSpec = Readonly<Record<string, unknown>>;

/** As a Route with these fields has them. */
export function filtersOf(fields: FilterSpec | undefined, type: 'Exact' | 'Prefix'): RouteFilters | undefined {
  if (fields === undefined) return undefined;
  const spec = {
    hosts: ['app.example'],
    paths: [{ type, value: '/' }],
    serviceRef: { name: 's' },
    access: 'Public',
    ...fields,
  };
  const parsed = parseObject(
    { apiVersion: 'postern.dev/v1alpha1', kind: 'Route', metadata: { name: 'r', namespace: 'n' }, spec },
    [],
  );
  if (!('ok' in parsed)) throw new Error('no Route');
  if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${formatPath(path)} ${message}`).join());
  if (parsed.value.kind !== 'Route') throw new Error(parsed.value.kind);
  return parsed.value.filters && compileFilters(parsed.value.filters, undefined);
}
