import type { EgressProxy } from '../../../resources/egress-proxy.ts';
import type { InstanceStatus } from '../../../routing/decision.ts';
import type { OidcConfig } from '../spec/config.ts';
import type { DiscoveredProvider, Metadata, Refuses } from './discovery.ts';
import { complete } from './endpoints.ts';
import type { KeySet } from './jwks.ts';

/** What an instance found out about its provider, for the one that follows it. */
export interface KnownProvider {
  readonly config: OidcConfig;
  readonly metadata: Metadata;
  readonly keys: KeySet;
  readonly status: InstanceStatus;
}

/** As far as it holds for a changed configuration. */
export interface TakenOver extends Pick<KnownProvider, 'keys' | 'status'> {
  readonly provider: DiscoveredProvider;
}

/**
 * What a changed plugin would find out itself, where it would ask the same provider by the same way: then nobody who logs
 * in waits, or is turned away, because a secret was rotated (F36). Everything that is found out depends on counts: also
 * whose certificates are believed, and which keys are usable.
 */
export function takeOver(
  config: OidcConfig,
  before: KnownProvider | undefined,
  refuses: Refuses,
): TakenOver | undefined {
  if (before === undefined || wayTo(config) !== wayTo(before.config) || !isSameProxy(config.proxy, before.config.proxy))
    return undefined;
  const provider = complete(config, before.metadata, refuses);
  return provider.ok ? { provider, keys: before.keys, status: before.status } : undefined;
}

const wayTo = ({ issuer, internalBase, endpoints, ca, insecure, allowedAlgs }: OidcConfig): string => {
  const { authorization, token, jwks, endSession } = endpoints;
  return JSON.stringify([
    [issuer, internalBase, ca, insecure.httpProvider],
    [authorization, token, jwks, endSession],
    allowedAlgs,
  ]);
};

const isSameProxy = (a: EgressProxy | undefined, b: EgressProxy | undefined): boolean =>
  a?.scheme === b?.scheme &&
  a?.host === b?.host &&
  a?.port === b?.port &&
  a?.credentials?.reveal() === b?.credentials?.reveal();
