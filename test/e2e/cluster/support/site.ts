/** Names and ports of the scenario. Every name is found at 127.0.0.1, where the cluster's node ports are published. */
export const PORTS = { http: 30080, https: 30443 } as const;

/** The host port of the provider: that of the cluster's node in a given cluster, else that of test/kind/cluster.yaml. */
const PROVIDER_PORT = Number(process.env['E2E_PROVIDER_PORT'] ?? 443);

export const HOSTS = {
  shop: 'shop.example.test',
  provider: 'idp.example.test',
} as const;

export const SHOP = `https://${HOSTS.shop}:${PORTS.https}`;
export const ISSUER =
  PROVIDER_PORT === 443 ? `https://${HOSTS.provider}` : `https://${HOSTS.provider}:${PROVIDER_PORT}`;

/** Where the provider is found inside the cluster. */
export const PROVIDER_INSIDE = 'https://provider.idp.svc:8443';

export const NAMESPACES = { system: 'postern-system', shop: 'shop', provider: 'idp', rival: 'rival' } as const;
