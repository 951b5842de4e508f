import type { Manifest } from './kubernetes.ts';
import { CLIENT_SECRET } from './peers.ts';
import { HOSTS, ISSUER, NAMESPACES, PROVIDER_INSIDE } from './site.ts';

const API = 'postern.dev/v1alpha1';
const PLUGIN = { kind: 'OidcPlugin', name: 'okta' };

const own = (kind: string, name: string, spec: unknown, namespace: string = NAMESPACES.shop): Manifest => ({
  apiVersion: API,
  kind,
  metadata: { name, namespace },
  spec,
});

export const service = (more: Manifest = {}): Manifest =>
  own('Service', 'orders', { backendRef: { name: 'orders', port: 8080 }, ...more });

interface RouteOptions {
  readonly name: string;
  readonly path: string;
  readonly access?: 'Public';
  readonly plugins?: readonly Manifest[];
  readonly more?: Manifest;
}

/** A Route of the shop; Protected by `okta` unless it says something else. */
export function route({ name, path, access, plugins, more = {} }: RouteOptions): Manifest {
  const exposure = access === undefined ? { plugins: plugins ?? [PLUGIN] } : { access };
  return own('Route', name, {
    hosts: [HOSTS.shop],
    paths: [{ type: 'Prefix', value: path }],
    serviceRef: { name: 'orders' },
    tls: { secretRef: { name: 'shop-tls' } },
    ...exposure,
    ...more,
  });
}

export const plugin = (more: Manifest = {}, name = 'okta'): Manifest =>
  own('OidcPlugin', name, {
    issuer: ISSUER,
    endpoints: {
      authorization: `${ISSUER}/auth`,
      token: `${PROVIDER_INSIDE}/token`,
      jwks: `${PROVIDER_INSIDE}/jwks`,
    },
    tls: { caRef: { name: 'provider-ca' } },
    clientID: 'shop',
    clientSecretRef: { name: 'okta-client', key: 'client-secret' },
    upstream: {
      claims: [
        { claim: 'sub', header: 'X-Forwarded-User' },
        { claim: 'preferred_username', header: 'X-Forwarded-Preferred-Username' },
        { claim: 'email', header: 'X-Forwarded-Email' },
      ],
    },
    ...more,
  });

const labelled = (name: string, stringData: Readonly<Record<string, string>>): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: NAMESPACES.shop, labels: { 'postern.dev/secret': 'true' } },
  stringData,
});

export const clientSecret = (secret = CLIENT_SECRET, previous?: string): Manifest =>
  labelled('okta-client', {
    'client-secret': secret,
    ...(previous === undefined ? {} : { 'client-secret-previous': previous }),
  });

export const providerCa = (ca: string): Manifest => labelled('provider-ca', { 'ca.crt': ca });

/** A Route of another namespace for the shop's host. */
export const rivalRoute = (): Manifest =>
  own(
    'Route',
    'carve',
    {
      hosts: [HOSTS.shop],
      paths: [{ type: 'Prefix', value: '/free' }],
      serviceRef: { name: 'own' },
      access: 'Public',
    },
    NAMESPACES.rival,
  );
export const rivalService = (): Manifest =>
  own('Service', 'own', { url: 'https://rival.example.com' }, NAMESPACES.rival);

/** Of the second plugin: the same client at the provider. */
export const secondSecret = (secret = CLIENT_SECRET): Manifest =>
  labelled('second-client', { 'client-secret': secret });
