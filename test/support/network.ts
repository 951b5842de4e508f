import type { PluginNetwork } from '../../src/plugins/contract.ts';
import { NO_PROXY } from '../../src/resources/egress-proxy.ts';

/** Everything may be reached, and without a proxy. */
export const ANY_NETWORK: PluginNetwork = { addresses: { kind: 'Any' }, isOwn: () => false, proxies: NO_PROXY };
