import { unknownKeys } from './object-head.ts';
import { isPlain, own } from './plain.ts';
import type { RouteResource } from './resource.ts';
import { routeSpec } from './route.ts';

/** Places of a Route in the table: hosts times paths, and about as much again for each method, header and query parameter. */
export const placesOf = ({ hosts, paths, methods, headers, queryParams }: RouteResource): number =>
  size(hosts.length, paths.length, methods?.length ?? 0, headers.length + (queryParams?.length ?? 0));

/** Of hosts and of paths: what their schemas allow. */
const MOST = 64;
/** Of methods, headers and query parameters. */
const MOST_NARROWING = 16;
const FIELDS = Object.keys(routeSpec.shape);

/**
 * Places that a Route which is not valid may have had before it broke, for it makes no room for another (A107): what can't be
 * counted counts as the most there can be, and a list under a name that is no field as the one that it may have been.
 */
export function claimedPlaces(spec: unknown): number {
  const required = (field: string): number => Math.max(1, lengthOf(own(spec, field), MOST) ?? MOST);
  const narrowing = (field: string): number => lengthOf(own(spec, field) ?? [], MOST_NARROWING) ?? MOST_NARROWING;
  const misspelt = isPlain(spec)
    ? unknownKeys(spec, FIELDS).reduce((all, key) => all * (1 + (lengthOf(own(spec, key), MOST_NARROWING) ?? 0)), 1)
    : 1;
  return (
    misspelt *
    size(required('hosts'), required('paths'), narrowing('methods'), narrowing('headers') + narrowing('queryParams'))
  );
}

const size = (hosts: number, paths: number, methods: number, conditions: number): number =>
  hosts * paths * Math.max(1, methods) * (1 + conditions);

/** Undefined: no list. */
const lengthOf = (value: unknown, most: number): number | undefined =>
  Array.isArray(value) ? Math.min(value.length, most) : undefined;
