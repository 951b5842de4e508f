import type { ObjectKey } from '../resources/keys.ts';
import type { PluginInstance } from '../routing/decision.ts';
import type { Snapshot } from '../routing/snapshot.ts';

/** One request's hold on the snapshot that was current when it came (F15). */
export interface Lease {
  readonly snapshot: Snapshot;
  plugin(key: ObjectKey): PluginInstance | undefined;
  /** Once, in the request's `finally`; instances that no snapshot and no lease needs are stopped. */
  release(): void;
}

/** Undefined before the first snapshot. */
export type Acquire = () => Lease | undefined;
