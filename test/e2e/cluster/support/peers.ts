import { createHash } from 'node:crypto';
import { apply, kubectl, type Manifest } from './kubernetes.ts';
import { HOSTS, ISSUER, NAMESPACES, PROVIDER_INSIDE, SHOP } from './site.ts';

export const CLIENT_SECRET = 'the-first-secret-of-the-shop';

const SAFE = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};
const POD_SAFE = { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } };

const namespace = (name: string): Manifest => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export const tlsSecret = (of: string, name: string, { key, cert }: Certificate): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: of },
  type: 'kubernetes.io/tls',
  stringData: { 'tls.crt': cert, 'tls.key': key },
});

interface Program {
  readonly namespace: string;
  readonly name: string;
  readonly image: string;
  readonly replicas: number;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly port: number;
  readonly hostPort?: number;
  readonly tls?: string;
}

/** A Deployment and its core Service, both of that name. */
function program(of: Program): readonly Manifest[] {
  const metadata = { name: of.name, namespace: of.namespace };
  const labels = { app: of.name };
  const port = {
    name: 'main',
    containerPort: of.port,
    ...(of.hostPort === undefined ? {} : { hostPort: of.hostPort }),
  };
  const scheme = of.tls === undefined ? {} : { scheme: 'HTTPS' };
  const path = of.tls === undefined ? '/' : '/.well-known/openid-configuration';
  const pod = {
    terminationGracePeriodSeconds: 30,
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    securityContext: POD_SAFE,
    containers: [
      {
        name: of.name,
        image: of.image,
        imagePullPolicy: 'IfNotPresent',
        args: of.args,
        env: Object.entries({ PORT: String(of.port), ...of.environment }).map(([name, value]) => ({ name, value })),
        ports: [port],
        readinessProbe: { httpGet: { path, port: 'main', ...scheme }, periodSeconds: 1 },
        // Nobody sends it anything new once every node knows that it is going.
        lifecycle: { preStop: { sleep: { seconds: 5 } } },
        securityContext: SAFE,
        ...(of.tls === undefined ? {} : { volumeMounts: [{ name: 'tls', mountPath: '/tls', readOnly: true }] }),
      },
    ],
    ...(of.tls === undefined ? {} : { volumes: [{ name: 'tls', secret: { secretName: of.tls } }] }),
  };
  const strategy = of.hostPort === undefined ? {} : { strategy: { type: 'Recreate' } };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: of.replicas,
        ...strategy,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: pod },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'main', port: of.port, targetPort: 'main' }] },
    },
  ];
}

/** The workload as Deployment and core Service `orders`, port 8080. */
export const workload = (of: string, image: string, replicas: number): readonly Manifest[] =>
  program({ namespace: of, name: 'orders', image, replicas, args: ['workload'], environment: {}, port: 8080 });

/** The provider, with its public address, the workload and the shop's certificate. All are there when this resolves. */
export async function startPeers(image: string, certificate: Certificate, shop: Certificate): Promise<void> {
  // Another name for another certificate, so that another one is a new Pod, and no node mounts what it remembers.
  const tls = `provider-tls-${createHash('sha256').update(certificate.cert).digest('hex').slice(0, 8)}`;
  await apply(
    ...Object.values(NAMESPACES)
      .filter((name) => name !== NAMESPACES.system)
      .map(namespace),
  );
  await apply(
    tlsSecret(NAMESPACES.shop, 'shop-tls', shop),
    tlsSecret(NAMESPACES.provider, tls, certificate),
    ...program({
      namespace: NAMESPACES.provider,
      name: 'provider',
      image,
      replicas: 1,
      args: ['provider'],
      environment: {
        ISSUER,
        TLS: '/tls',
        CLIENT_SECRET,
        REDIRECT_URIS: [`${SHOP}/_oidc/okta/callback`, `${SHOP}/_oidc/second/callback`].join(' '),
      },
      port: 8443,
      hostPort: 443,
      tls,
    }),
    ...workload(NAMESPACES.shop, image, 2),
  );
  await kubectl('rollout', 'status', 'deployment/provider', '-n', NAMESPACES.provider, '--timeout=120s');
  await kubectl('rollout', 'status', 'deployment/orders', '-n', NAMESPACES.shop, '--timeout=120s');
}

/** Names for the provider's certificate: its public one, and the one inside the cluster. */
export const PROVIDER_NAMES = [`DNS:${HOSTS.provider}`, `DNS:${new URL(PROVIDER_INSIDE).hostname}`];
