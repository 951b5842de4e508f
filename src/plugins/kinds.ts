import type { PluginKind } from './contract.ts';
import { oidcKind } from './oidc/kind.ts';

/** Every kind of plugin, in the order in which the plugins of one Route decide. Adding one is a folder and a line here. */
export const PLUGIN_KINDS: readonly PluginKind[] = [oidcKind];
