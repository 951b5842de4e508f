import { must, type Ran, run } from './run.ts';

/** An object, as it is applied. */
export type Manifest = Readonly<Record<string, unknown>>;

export const kubectl = (...args: readonly string[]): Promise<string> => must('kubectl', args);

/** For what may be refused. */
export const tryKubectl = (...args: readonly string[]): Promise<Ran> => run('kubectl', args);

/** As a person does it, with client-side apply and strict validation. */
export async function apply(...objects: readonly Manifest[]): Promise<string> {
  return await must('kubectl', ['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });
}

export async function get(...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await kubectl('get', ...args, '-o', 'json'));
}

export async function jsonPath(path: string, ...args: readonly string[]): Promise<string> {
  return await kubectl('get', ...args, '-o', `jsonpath=${path}`);
}

/** Names of the Pods that aren't on their way out, in order. */
export async function podsOf(namespace: string, selector: string): Promise<readonly string[]> {
  const template = '{range .items[*]}{.metadata.name} {.metadata.deletionTimestamp}{"\\n"}{end}';
  const lines = (await jsonPath(template, 'pods', '-n', namespace, '-l', selector)).trim().split('\n');
  const fields = lines.map((line) => line.split(' '));
  return fields.flatMap(([name = '', ending = '']) => (name !== '' && ending === '' ? [name] : [])).sort();
}

/** What one Pod answers on a port; through the API server, so only for what any client may ask. */
export const askPod = (namespace: string, pod: string, port: number, path: string): Promise<string> =>
  kubectl('get', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy${path}`);
