import type { InstanceStatus } from '../../../routing/decision.ts';
import type { OidcConfig } from '../spec/config.ts';
import type { DiscoveredProvider } from './discovery.ts';
import { type Look, preflight } from './preflight.ts';

/** What a status is made of. The same values again say the same again. */
export interface Seen extends Omit<Look, 'metadata'> {
  readonly status: InstanceStatus;
  readonly provider: DiscoveredProvider | undefined;
}

/**
 * A status with its checks. A thousand plugins are asked for theirs at each publication and each scrape, and openid-client
 * copies the metadata whenever it is asked for them: so what was said stands, as the very same value, until something else
 * is seen.
 */
export function wholeStatus(config: OidcConfig): (seen: Seen) => InstanceStatus {
  let last: { readonly seen: Seen; readonly said: InstanceStatus } | undefined;
  return (seen) => {
    if (last !== undefined && isSame(last.seen, seen)) return last.said;
    const metadata = seen.provider?.client.serverMetadata();
    last = { seen, said: { ...seen.status, checks: preflight(config, { ...seen, metadata }) } };
    return last.said;
  };
}

const isSame = (a: Seen, b: Seen): boolean =>
  a.status === b.status &&
  a.outcome === b.outcome &&
  a.provider === b.provider &&
  a.clocks === b.clocks &&
  a.secret === b.secret;
