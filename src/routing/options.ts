import type { AddressPolicy } from '../resources/address-policy.ts';
import type { ExternalAddress } from '../resources/external.ts';
import type { HostPattern } from '../resources/hostname.ts';
import type { IdentityHeaders } from '../resources/identity-headers.ts';
import type { NamespacedName } from '../resources/keys.ts';
import type { Redacted } from '../resources/redacted.ts';
import type { ClientCertificate } from '../resources/upstream.ts';
import type { PluginRules } from './plugin-rules.ts';

export interface CompileOptions {
  /** In the order in which they decide. */
  readonly plugins: readonly PluginRules[];
  readonly external: ExternalAddress;
  readonly mode: CompileMode;
  /** Headers that a plugin may emit; absent: the fixed set. */
  readonly identityHeaders?: IdentityHeaders;
  /** Absent: only the form of PEM is looked at, and what can't be used fails each connection. */
  readonly pems?: PemChecks;
}

/** What OpenSSL makes of certificates. Pure. */
export interface PemChecks {
  /** Of one PEM certificate. */
  isCertificate(pem: string): boolean;
  /** Why a certificate and its key can't be used, whatever the time, to go on a sentence; undefined where they can. */
  pairFault(pair: ClientCertificate): string | undefined;
}

export type CompileMode =
  /** Hosts have no owners, and there are no core Services to follow. */
  { readonly kind: 'Files' } | ClusterMode;

/** Objects of an API server, of namespaces that don't trust each other. */
export interface ClusterMode {
  readonly kind: 'Cluster';
  /** `--host-owner`; the most specific entry that covers a host decides. */
  readonly hostOwners: readonly HostOwner[];
  /** Whether more than one namespace is watched: then wildcard hosts and `*` need an entry. */
  readonly manyNamespaces: boolean;
  /** Some watched namespace was not listed yet: who the oldest is can't be told, so only hosts with an entry are served. */
  readonly incomplete: boolean;
  readonly urlBackends: AddressPolicy;
  /** The cluster's own DNS suffix, which `url` doesn't reach unless `urlBackends` is Any: `cluster.local`. */
  readonly clusterDomain: string;
  /** The Secret of the cookie keys: no reference resolves to it. */
  readonly keysSecret: NamespacedName;
  /** Why a certificate and its key can't be served, to go on a sentence (`has expired`); undefined where it can. Pure; remembered. */
  certificateFault(certificate: string, key: Redacted): string | undefined;
}

export interface HostOwner {
  readonly pattern: HostPattern;
  readonly namespace: string;
}
