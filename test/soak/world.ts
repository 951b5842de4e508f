import type { HonestProvider } from '../support/honest-provider.ts';
import type { KeysFile } from './keys.ts';
import type { ObjectFiles } from './objects.ts';
import type { Replicas } from './replicas.ts';
import type { Sessions } from './sessions.ts';
import type { Outcome, Tally } from './tally.ts';

/** What every kind of load works with. */
export interface SoakWorld {
  /** `localhost:PORT` as browsers know it; every request says it in `Host`, whichever replica it goes to. */
  readonly host: string;
  readonly replicas: Replicas;
  readonly sessions: Sessions;
  readonly provider: HonestProvider;
  readonly files: ObjectFiles;
  readonly keys: KeysFile;
  readonly tally: Tally;
  /** Whether nothing new begins any more. */
  over(): boolean;
  /** Runs one at a time: a replica can't start while the directory is broken on purpose. */
  exclusive<T>(run: () => Promise<T>): Promise<T>;
}

export interface Load {
  readonly kind: string;
  /** How many go on at once, and milliseconds that each waits between two, on average. */
  readonly workers: number;
  readonly pause: number;
  /** One of them. Rejects where something was not as it should be. */
  once(world: SoakWorld): Promise<Outcome>;
}
