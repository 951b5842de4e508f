import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import type { ApiServer } from '../../test/support/apiserver.ts';
import { route, routePath } from './objects.ts';

const GROUP = 'control.bench';
const CRD = 'crds/routes.postern.dev.yaml';

/**
 * A kind with the very schema of Routes in a group that the operator doesn't watch: changing such an object costs the API server
 * and the load what changing a Route does, and the operator nothing.
 */
export async function installControl(api: ApiServer): Promise<void> {
  const crd: unknown = parse(readFileSync(CRD, 'utf8').replaceAll('postern.dev', GROUP));
  const { spec, ...head } = Object(crd);
  // Short names and categories of two kinds would be in each other's way.
  const { shortNames: _, categories: __, ...names } = Object(spec.names);
  await api.apply(stringify({ ...head, spec: { ...spec, names } }));
  await sleep(2000);
}

/** Control object i, as it is after its nth change. */
export const control = (i: number, n: number): Readonly<Record<string, unknown>> => ({
  ...route(i, n),
  apiVersion: `${GROUP}/v1alpha1`,
});

export const controlPath = (i: number): string => routePath(i).replace('postern.dev', GROUP);
