import { randomBytes } from 'node:crypto';
import { type Control, type ControlOptions, createControl } from '../control/control.ts';
import type { KeyRing } from '../keys/ring.ts';
import type { Log } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { PLUGIN_KINDS } from '../plugins/kinds.ts';
import type { OverloadWatch } from '../proxy/overload/watch.ts';
import { nodeFlags, type ServeSettings } from '../settings.ts';
import { tellPublication } from './change-log.ts';
import { lookUpsByNamespace } from './name-lookups.ts';
import { openOverload } from './overload.ts';
import { isOwnListener } from './own-listeners.ts';
import { timers } from './timers.ts';
import { VERSION } from './version.ts';

/** What every part of a running gateway is made with. */
export interface Parts {
  readonly settings: ServeSettings;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly overload: OverloadWatch;
  /** Written by the life of the process, read by readiness. */
  readonly state: { serving: boolean; ending: boolean };
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a monotonic clock. */
  ticks(): number;
}

/** A gateway that was started. */
export interface Running {
  /** Ends it gracefully (DESIGN: Failure behaviour, SIGTERM). */
  stop(): Promise<void>;
}

export function createParts(settings: ServeSettings, log: Log): Parts {
  const now = (): number => Date.now();
  const ticks = (): number => performance.now();
  const metrics = createMetrics({ version: VERSION, now });
  const { limits } = settings;
  return {
    settings,
    log,
    metrics,
    overload: openOverload({
      limits,
      log: log.part('proxy'),
      metrics: metrics.overload,
      flags: nodeFlags(),
      now: ticks,
    }),
    state: { serving: false, ending: false },
    now,
    ticks,
  };
}

/** What differs with where the objects come from. */
export type Origin = Pick<ControlOptions, 'source' | 'parse' | 'compile'> & {
  readonly keys: KeyRing;
  /** Besides the lines of the log. */
  onPublished?: ControlOptions['onPublished'];
};

export function createControlLoop(parts: Parts, origin: Origin): Control {
  const { settings, log, metrics, now } = parts;
  const lookUps = lookUpsByNamespace();
  const control = createControl({
    source: origin.source,
    parse: origin.parse,
    compile: origin.compile,
    kinds: PLUGIN_KINDS,
    world: ({ key }) => ({
      now,
      random: randomBytes,
      keys: origin.keys,
      observe: (event) => metrics.observe(key, event),
      log: log.plugin(key),
      network: {
        addresses: settings.providerAddresses,
        isOwn: isOwnListener([settings.admin, settings.debug]),
        proxies: settings.proxies,
        lookUp: lookUps(key.split('/', 2).join('/')),
      },
    }),
    timers,
    nextTurn: (run) => setImmediate(run),
    now: parts.ticks,
    log: log.part('control'),
    metrics: metrics.control,
    onPublished(publication) {
      tellPublication(publication, log.part('control'));
      origin.onPublished?.(publication);
    },
  });
  metrics.follow(() => control.instances());
  return control;
}
