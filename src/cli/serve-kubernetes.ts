import type { Log } from '../observe/log.ts';
import type { KubernetesSettings, ServeSettings } from '../settings.ts';
import { StartFailure } from './listen.ts';
import type { Running } from './parts.ts';

export async function startInCluster(
  _settings: ServeSettings,
  _cluster: KubernetesSettings,
  _log: Log,
): Promise<Running> {
  throw new StartFailure('not yet');
}
