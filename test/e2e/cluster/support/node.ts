import { must, run } from './run.ts';

let found: string | undefined;

async function runtime(): Promise<string> {
  if (found !== undefined) return found;
  for (const program of ['docker', 'podman']) {
    const ran = await run(program, ['ps', '--format', '{{.Image}} {{.Names}}']).catch(() => undefined);
    if (ran?.code === 0 && ran.stdout.includes('control-plane')) {
      found = program;
      return program;
    }
  }
  throw new Error('neither docker nor podman shows the container of the control plane');
}

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const ASIDE = '/etc/kubernetes/kube-apiserver.yaml';

/** The node of the control plane, as kubectl and its container runtime call it. */
async function node(): Promise<string> {
  const name = await must('kubectl', ['get', 'nodes', '-l', 'node-role.kubernetes.io/control-plane', '-o', 'name']);
  return name.trim().replace('node/', '');
}

/** SIGKILL to the first process of a Pod's only container, from outside: it learns nothing of it, and its Pod stays. */
export async function killContainer(namespace: string, pod: string): Promise<void> {
  const path = 'jsonpath={.status.containerStatuses[0].containerID}';
  const id = (await must('kubectl', ['get', 'pod', pod, '-n', namespace, '-o', path])).replace('containerd://', '');
  const program = await runtime();
  await must(program, ['exec', await node(), 'ctr', '-n', 'k8s.io', 'tasks', 'kill', '--signal', 'SIGKILL', id]);
}

/** The kubelet ends the API server when its manifest goes; resolves when it has ended. Gives what brings it back. */
export async function stopApiServer(): Promise<() => Promise<void>> {
  // Asked for before: without an API server kubectl can't say how the node is called.
  const name = await node();
  const program = await runtime();
  const inside = (...command: readonly string[]) => must(program, ['exec', name, ...command]);
  await inside('mv', MANIFEST, ASIDE);
  return async () => {
    await inside('mv', ASIDE, MANIFEST);
  };
}

export const apiServerAnswers = async (): Promise<boolean> =>
  (await run('kubectl', ['get', '--raw', '/readyz', '--request-timeout=2s'])).code === 0;
