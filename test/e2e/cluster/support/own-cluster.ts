import { join } from 'node:path';
import { readmeWay } from '../../../support/documented.ts';
import type { Builder } from './programs.ts';

/** A program and its arguments. */
export type Step = readonly string[];

const NAME = 'postern-e2e';

/** Beside KUBECONFIG; for every step and the scenario. */
export const CLUSTER_ENVIRONMENT: Readonly<Record<Builder, Readonly<Record<string, string>>>> = {
  docker: { KIND_CLUSTER_NAME: NAME, E2E_PROVIDER_PORT: '30444' },
  podman: { KIND_CLUSTER_NAME: NAME, E2E_PROVIDER_PORT: '30444', KIND_EXPERIMENTAL_PROVIDER: 'podman' },
};

export const deletion: Step = ['kind', 'delete', 'cluster', '--name', NAME];

interface Way {
  readonly steps: readonly Step[];
  /** Variables that say which images are there now. */
  readonly images: Readonly<Record<string, string>>;
}

/**
 * How README.md makes a cluster on kind and brings Postern's image there, by its very lines, and after that what the scenario
 * needs besides. `directory` is for archives. `nodeImage`: another version of Kubernetes than kind's own.
 */
export function stepsTo(builder: Builder, directory: string, nodeImage: string | undefined): Way {
  const [create = '', image = ''] = readmeWay('kind');
  const cluster = nodeImage === undefined ? create : `${create} --image ${nodeImage}`;
  const ready = ['kubectl', 'wait', '--for=condition=Ready', 'node', '--all', '--timeout=180s'];
  const { steps, images } = builder === 'docker' ? withDocker(image) : withPodman(directory);
  return { steps: [['sh', '-c', cluster], ready, ...steps], images };
}

function withDocker(readmeImage: string): Way {
  const [own, next, peers] = ['postern:dev', 'postern:next', 'postern-peers:dev'];
  const load = (name: string): Step => ['kind', 'load', 'docker-image', name];
  const steps = [
    ['sh', '-c', readmeImage],
    ['docker', 'tag', own, next],
    load(next),
    ['docker', 'build', '--tag', peers, '--file', 'test/e2e/Dockerfile', '.'],
    load(peers),
  ];
  return { steps, images: { E2E_IMAGE: own, E2E_NEXT_IMAGE: next, E2E_PEERS_IMAGE: peers } };
}

/**
 * `kind load docker-image` asks docker, so the images come as archives; and podman takes another registry than the nodes
 * for a name without one.
 */
function withPodman(directory: string): Way {
  const [own, next, peers] = ['postern:dev', 'postern:next', 'postern-peers:dev'].map(
    (name) => `docker.io/library/${name}`,
  );
  const load = (name = ''): readonly Step[] => {
    const archive = join(directory, `${name.replaceAll(/[^a-z]+/g, '-')}.tar`);
    return [
      ['podman', 'save', '--output', archive, name],
      ['kind', 'load', 'image-archive', archive],
    ];
  };
  const steps = [
    ['podman', 'build', '--tag', own, '--tag', next, '.'],
    ...load(own),
    ...load(next),
    ['podman', 'build', '--tag', peers, '--file', 'test/e2e/Dockerfile', '.'],
    ...load(peers),
  ].map((step) => step.map((word = '') => word));
  return { steps, images: { E2E_IMAGE: own ?? '', E2E_NEXT_IMAGE: next ?? '', E2E_PEERS_IMAGE: peers ?? '' } };
}
