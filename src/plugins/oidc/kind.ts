import { schemaProblems } from '../../resources/schema-problems.ts';
import type { PluginInstance } from '../../routing/decision.ts';
import { definePluginKind, type PluginWorld } from '../contract.ts';
import { startOidc } from './instance.ts';
import { createBeginnings } from './provider/beginnings.ts';
import type { Provider } from './provider/provider.ts';
import { type ProviderWorld, startProvider } from './provider/provider-client.ts';
import { compileOidc } from './spec/compile.ts';
import { checkSpec } from './spec/spec.ts';
import { oidcSpec } from './spec/wire.ts';

/** OidcPlugin: a login with OpenID Connect. */
export const oidcKind = definePluginKind({
  kind: 'OidcPlugin',
  plural: 'oidcplugins',
  shortNames: ['oidc'],
  schema: oidcSpec,
  check: checkSpec,
  secretFields: [['clientIDRef'], ['clientSecretRef'], ['tls', 'caRef']],
  compile: compileOidc,
  start(config, identity, world, before) {
    const known = before === undefined ? undefined : providers.get(before)?.known();
    const provider = startProvider(config, providerWorld(world), known);
    const instance = startOidc(config, identity, world, provider);
    providers.set(instance, provider);
    return instance;
  },
  standIns: { issuer: 'https://stand-in.invalid' },
  problems: (error) => schemaProblems(error, ['spec'], oidcSpec),
});

/** Of each instance, for the one that follows it. */
const providers = new WeakMap<PluginInstance, Provider>();

function startTimer(ms: number, run: () => void): () => void {
  // Waiting for the next try keeps no process alive.
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
}

/** Of all plugins of the process, for they share its event loop. */
const begin = createBeginnings({ nextTurn: setImmediate, now: () => performance.now(), after: startTimer });

function providerWorld(world: PluginWorld): ProviderWorld {
  return {
    now: () => world.now(),
    random: () => world.random(6).readUIntBE(0, 6) / 2 ** 48,
    begin,
    startTimer,
    observe: (event) => world.observe(event),
    log: world.log,
    network: world.network,
  };
}
