import { milliseconds } from '../../../src/resources/duration.ts';
import { type NamespacedName, namespacedName } from '../../../src/resources/keys.ts';
import { DEFAULT_POLICY } from '../../../src/resources/parse-upstream.ts';
import type { Backend } from '../../../src/resources/resource.ts';
import type { UpstreamPolicy, UpstreamSettings, UpstreamTls } from '../../../src/resources/upstream.ts';

const SERVICE = namespacedName('shop', 'service');
const known = new WeakMap<Backend, UpstreamSettings>();

/** As a Service that says nothing about its backend compiles to; the same value for the same backend. */
export function defaultSettings(backend: Backend): UpstreamSettings {
  const before = known.get(backend);
  if (before !== undefined) return before;
  const settings = upstreamSettings({}, backend.kind === 'Url' ? { basePath: backend.basePath } : {});
  known.set(backend, settings);
  return settings;
}

export interface SettingsOptions {
  readonly service?: NamespacedName;
  readonly tls?: Partial<UpstreamTls>;
}

export function upstreamSettings(
  { service = SERVICE, tls }: SettingsOptions,
  policy: Partial<UpstreamPolicy> = {},
): UpstreamSettings {
  return {
    service,
    policy: { ...DEFAULT_POLICY, ...policy },
    tls: tls && { verify: true, serverName: undefined, ca: undefined, client: undefined, ...tls },
  };
}

/** Ejection that a test can wait for. */
export const QUICK_EJECTION = {
  consecutiveFailures: 3,
  ejectionTime: milliseconds(500),
  maxEjectionTime: milliseconds(2000),
  maxEjectedPercent: 50,
};
