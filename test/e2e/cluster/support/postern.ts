import type { Image } from './environment.ts';
import { askPod, jsonPath, kubectl, podsOf } from './kubernetes.ts';
import { must, type Ran, run } from './run.ts';
import { NAMESPACES, PORTS } from './site.ts';
import { until } from './until.ts';

const CHART = 'charts/postern';
const { system } = NAMESPACES;
const SELECTOR = 'app.kubernetes.io/name=postern,app.kubernetes.io/instance=postern';

/** The values of the scenario, as `--set` writes them. */
const VALUES: Readonly<Record<string, string>> = {
  'service.type': 'NodePort',
  'service.ports.http.nodePort': String(PORTS.http),
  'service.ports.https.nodePort': String(PORTS.https),
  'controller.externalPort': String(PORTS.https),
  'shutdown.graceSeconds': '5',
};

const setting = (values: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);

/** `helm install|upgrade … --wait` of the release `postern`. */
export async function helmInstall(
  verb: 'install' | 'upgrade',
  { repository, tag }: Image,
  values: Readonly<Record<string, string>> = {},
): Promise<string> {
  const image = { 'image.repository': repository, 'image.tag': tag };
  const create = verb === 'install' ? ['--create-namespace'] : [];
  const args = ['--namespace', system, ...create, ...setting({ ...VALUES, ...image, ...values })];
  return await must('helm', [verb, 'postern', CHART, ...args, '--wait', '--timeout', '180s']);
}

export const helm = (...args: readonly string[]): Promise<string> => must('helm', [...args, '--namespace', system]);
export const tryHelm = (...args: readonly string[]): Promise<Ran> => run('helm', [...args, '--namespace', system]);

export const posternPods = (): Promise<readonly string[]> => podsOf(system, SELECTOR);

/** The Pod that holds the Lease. */
export const leader = (): Promise<string> =>
  until('a Pod that holds the Lease', async () => {
    const holder = await jsonPath('{.spec.holderIdentity}', 'lease', 'postern', '-n', system);
    return (await posternPods()).find((pod) => holder.startsWith(pod));
  });

export const metricsOf = (pod: string): Promise<string> => askPod(system, pod, 9090, '/metrics');

/** The value of one series, such as `postern_leader`, in a text of metrics; 0 where it isn't there. */
export function metric(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

/** Until every Pod serves the same table. */
export async function agreed(): Promise<void> {
  await until('one table at every Pod', async () => {
    const pods = await posternPods();
    const tables = await Promise.all(
      pods.map(async (pod) => /table_hash_info\{[^}]*hash="([^"]*)"/.exec(await metricsOf(pod))?.[1]),
    );
    return pods.length > 0 && new Set(tables).size === 1 && tables[0] !== undefined;
  });
}

/** As the status says it; agrees with the spec, too: `observedGeneration` is that of the object. */
export async function waitFor(
  kind: string,
  name: string,
  condition: string,
  namespace: string = NAMESPACES.shop,
): Promise<void> {
  await kubectl('wait', `--for=condition=${condition}`, `${kind}/${name}`, '-n', namespace, '--timeout=60s');
}

/** Reason of a condition of an object, at its present generation. */
export const reasonOf = (
  kind: string,
  name: string,
  type: string,
  namespace: string = NAMESPACES.shop,
): Promise<string> => jsonPath(`{.status.conditions[?(@.type=="${type}")].reason}`, kind, name, '-n', namespace);
