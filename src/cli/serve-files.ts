import type { Control } from '../control/control.ts';
import type { Log } from '../observe/log.ts';
import { PLUGIN_KINDS } from '../plugins/kinds.ts';
import { NO_ENDPOINTS } from '../proxy/endpoints.ts';
import { createSocketForwarder } from '../proxy/upstream/socket-forwarder.ts';
import type { FilesSettings, ServeSettings } from '../settings.ts';
import { openFront, tellServing } from './front.ts';
import { openKeys } from './keys-file.ts';
import { openSource } from './open-source.ts';
import { portsOf } from './own-listeners.ts';
import { createControlLoop, createParts, type Running } from './parts.ts';
import { filesPipeline } from './pipeline.ts';
import { openViews } from './views.ts';

/** From a directory of objects. What is wrong at the start ends it: there is no good state yet that could stay. */
export async function startFromFiles(settings: ServeSettings, files: FilesSettings, log: Log): Promise<Running> {
  const parts = createParts(settings, log);
  const pipeline = filesPipeline(PLUGIN_KINDS, settings);
  const keys = await openKeys(files.keysFile, parts.now, log.part('keys'));
  const source = await openSource(files.directory, pipeline.check, log.part('files'));
  const control: Control = createControlLoop(parts, { ...pipeline, source, keys: keys.ring });
  const views = await openViews(parts, { checks: [], control: () => control });

  await control.start();
  const forwarder = createSocketForwarder({
    observer: parts.metrics.upstreams,
    ownPorts: portsOf([settings.listen, settings.admin, settings.debug]),
    endpoints: NO_ENDPOINTS,
    reach: { urlBackends: settings.urlBackends, clusterDomain: '' },
  });
  parts.metrics.followUpstreams(() => forwarder.counts());
  const front = await openFront(parts, { control, forwarder });
  tellServing(parts, undefined, { files: files.directory });
  return {
    async stop() {
      await front.end();
      await control.stop();
      forwarder.close();
      keys.close();
      await views.close();
    },
  };
}
