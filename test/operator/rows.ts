import { isPlain, own } from '../../src/resources/plain.ts';
import type { ApiServer } from '../support/apiserver.ts';
import { until } from '../support/gateway.ts';
import type { Operator } from './operator.ts';

/** Where an object of ours is, for `call`. */
export const pathOf = (plural: string, namespace: string, name = ''): string =>
  `/apis/postern.dev/v1alpha1/namespaces/${namespace}/${plural}${name === '' ? '' : `/${name}`}`;

/** `Accepted=False/HostNotAllowed` for each condition of the object, by its type; nothing where it has no status. */
export async function conditions(
  server: ApiServer,
  plural: string,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, string>>> {
  const { body } = await server.call('GET', pathOf(plural, namespace, name));
  const found = own(own(body, 'status'), 'conditions');
  return Object.fromEntries(
    (Array.isArray(found) ? found : [])
      .filter(isPlain)
      .map(({ type, status, reason }) => [String(type), `${String(status)}/${String(reason)}`]),
  );
}

/** Waits until the condition of that type is so. */
export async function becomes(
  server: ApiServer,
  [plural, namespace, name]: readonly [string, string, string],
  type: string,
  expected: string,
  operator: Operator,
): Promise<void> {
  let last: unknown;
  await until(
    async () => {
      const all = await conditions(server, plural, namespace, name);
      last = all;
      return all[type] === expected;
    },
    `${plural} ${namespace}/${name} to say ${type} ${expected}`,
    () => `${JSON.stringify(last)}\n${operator.log()}`,
  );
}

/** Runs it again and again, one after another, until stopped; rethrows what it threw. */
export function meanwhile(run: () => Promise<void>): { times(): number; stop(): Promise<number> } {
  let going = true;
  let times = 0;
  const all = (async () => {
    while (going) {
      await run();
      times += 1;
    }
  })();
  // Seen by whoever stops it.
  all.catch(() => {});
  return {
    times: () => times,
    async stop() {
      going = false;
      await all;
      return times;
    },
  };
}

/** The kind ReferenceGrant, as far as the API server has to know it. */
export const GRANT_KIND = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'referencegrants.gateway.networking.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api/pull/2997' },
  },
  spec: {
    group: 'gateway.networking.k8s.io',
    scope: 'Namespaced',
    names: { kind: 'ReferenceGrant', plural: 'referencegrants' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
