import type { PluginEvent } from '../../plugins/contract.ts';
import type { ObjectKey } from '../../resources/keys.ts';
import type { InstanceStatus } from '../../routing/decision.ts';
import { counterFamily, type Family, gaugeFamily, histogramFamily } from '../families.ts';
import { COOKIE_BYTES, HTTP_SECONDS, LOGIN_SECONDS } from './buckets.ts';

export interface LoginMetrics {
  readonly families: readonly Family[];
  /** Events of plugins that no longer run are dropped, so that their series don't come back. */
  observe(plugin: ObjectKey, event: PluginEvent): void;
  /** The plugins that run now, and what each says of itself at a scrape. */
  plugins(running: ReadonlyMap<ObjectKey, unknown>): void;
  follow(instances: () => ReadonlyMap<ObjectKey, InstanceStatus>): void;
}

/** The funnel, in order: each login passes the stages from the first to the last, or is counted under failures. */
const STAGES = ['started', 'returned', 'exchanged', 'session_created'] as const;

/** @param now milliseconds since the epoch */
export function loginMetrics(now: () => number): LoginMetrics {
  const labels = new Map<ObjectKey, string>();
  let instances: () => ReadonlyMap<ObjectKey, InstanceStatus> = () => new Map();

  const logins = counterFamily({
    name: 'postern_oidc_logins_total',
    help: 'Logins that reached a stage: started (sent to the provider), returned (came back with a genuine answer), exchanged (tokens received and verified), session_created.',
    labels: ['plugin', 'stage'],
  });
  const failures = counterFamily({
    name: 'postern_oidc_login_failures_total',
    help: 'Logins, or answers that claimed to be one, that came to nothing, by reason.',
    labels: ['plugin', 'reason'],
  });
  const loginDurations = histogramFamily({
    name: 'postern_oidc_login_duration_seconds',
    help: 'Time from the redirect to the provider to the session, the person included.',
    labels: ['plugin'],
    buckets: LOGIN_SECONDS,
  });
  const cookieBytes = histogramFamily({
    name: 'postern_session_cookie_bytes',
    help: 'Size of all cookies of a new session.',
    labels: ['plugin'],
    buckets: COOKIE_BYTES,
  });
  const unauthenticated = counterFamily({
    name: 'postern_oidc_unauthenticated_total',
    help: 'Requests without a usable session that were answered 401 or sent to log in, by why.',
    labels: ['plugin', 'reason'],
  });
  const logouts = counterFamily({
    name: 'postern_oidc_logouts_total',
    help: 'Sessions ended by their user, here only (local) or at the provider too (rp_initiated).',
    labels: ['plugin', 'kind'],
  });
  const calls = counterFamily({
    name: 'postern_oidc_provider_requests_total',
    help: 'Calls to the provider, by endpoint and result.',
    labels: ['plugin', 'endpoint', 'result'],
  });
  const callDurations = histogramFamily({
    name: 'postern_oidc_provider_request_duration_seconds',
    help: 'Duration of calls to the provider, by endpoint.',
    labels: ['plugin', 'endpoint'],
    buckets: HTTP_SECONDS,
  });
  const discovered = gaugeFamily({
    name: 'postern_oidc_discovery_last_success_timestamp_seconds',
    help: 'When the discovery document of the provider was last read.',
    labels: ['plugin'],
  });
  const keysRead = gaugeFamily({
    name: 'postern_oidc_jwks_last_success_timestamp_seconds',
    help: 'When the signing keys of the provider were last read.',
    labels: ['plugin'],
  });
  const readyOptions = {
    name: 'postern_plugin_ready',
    help: 'Whether a running plugin can do its work (1), with OpenID Connect: whether discovery and keys were read.',
    labels: ['kind', 'plugin'],
  };
  const ready = gaugeFamily(readyOptions, () => {
    ready.retain(() => false);
    for (const [key, { status }] of instances()) ready.at(kindOf(key), nameOf(key)).value = status === 'True' ? 1 : 0;
  });

  const byPlugin = [logins, failures, loginDurations, cookieBytes, unauthenticated, logouts, calls, callDurations];
  const families = [...byPlugin, discovered, keysRead];
  return {
    families: [...families, ready],
    follow(source) {
      instances = source;
    },
    plugins(running) {
      if (running.size === labels.size && [...running.keys()].every((key) => labels.has(key))) return;
      labels.clear();
      for (const key of running.keys()) labels.set(key, nameOf(key));
      const known = new Set(labels.values());
      for (const family of families) family.retain(([plugin = '']) => known.has(plugin));
      // At 0 from the beginning: a rate over a counter that appears with 1 misses the first login.
      for (const [key, plugin] of labels) {
        if (kindOf(key) === 'OidcPlugin') for (const stage of STAGES) logins.at(plugin, stage);
      }
    },
    observe(key, event) {
      const plugin = labels.get(key);
      if (plugin === undefined) return;
      switch (event.kind) {
        case 'LoginStarted':
          logins.at(plugin, 'started').value += 1;
          break;
        case 'LoginReturned':
          logins.at(plugin, 'returned').value += 1;
          break;
        case 'LoginExchanged':
          logins.at(plugin, 'exchanged').value += 1;
          break;
        case 'SessionCreated':
          logins.at(plugin, 'session_created').value += 1;
          loginDurations.at(plugin).observe(event.seconds);
          cookieBytes.at(plugin).observe(event.bytes);
          break;
        case 'LoginFailed':
          failures.at(plugin, event.reason).value += 1;
          break;
        case 'Unauthenticated':
          unauthenticated.at(plugin, event.reason).value += 1;
          break;
        case 'Logout':
          logouts.at(plugin, event.how).value += 1;
          break;
        case 'ProviderCall':
          calls.at(plugin, event.endpoint, event.result).value += 1;
          callDurations.at(plugin, event.endpoint).observe(event.seconds);
          if (event.result !== 'ok') break;
          if (event.endpoint === 'discovery') discovered.at(plugin).value = now() / 1000;
          if (event.endpoint === 'jwks') keysRead.at(plugin).value = now() / 1000;
          break;
        default:
          event satisfies never;
      }
    },
  };
}

const kindOf = (key: ObjectKey): string => key.slice(0, key.indexOf('/'));
const nameOf = (key: ObjectKey): string => key.slice(key.indexOf('/') + 1);
