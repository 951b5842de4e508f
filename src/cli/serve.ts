import { standardOutput } from '../observe/log/stdout.ts';
import { createLog, type Log } from '../observe/log.ts';
import type { ServeSettings } from '../settings.ts';
import { endOnBug, endRequested } from './lifecycle.ts';
import { StartFailure } from './listen.ts';
import type { Running } from './parts.ts';
import { startFromFiles } from './serve-files.ts';
import { startInCluster } from './serve-kubernetes.ts';

/** Serves until a signal asks to end; the process ends here. */
export async function serve(settings: ServeSettings): Promise<never> {
  const output = standardOutput();
  const log = createLog({ format: settings.logFormat, level: settings.logLevel, colour: settings.colour, output });
  const leave = (): never => {
    output.flush();
    process.exit(1);
  };
  endOnBug(log.part('main'), () => output.flush());
  const ended = endRequested(leave);
  try {
    // A first table that doesn't come about holds up nobody who wants to end the process.
    const running = await Promise.race([start(settings, log), ended]);
    log.part('main').info({ signal: await ended }, 'ending: requests under way may finish');
    if (typeof running === 'object') await running.stop();
    log.part('main').info({}, 'ended');
    await output.drained();
    // Whatever a library may have left running holds nobody up.
    process.exit(0);
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    output.flush();
    process.stderr.write(`postern: ${error.message}\n`);
    process.exit(1);
  }
}

function start(settings: ServeSettings, log: Log): Promise<Running> {
  const { origin } = settings;
  switch (origin.kind) {
    case 'Files':
      return startFromFiles(settings, origin, log);
    case 'Kubernetes':
      return startInCluster(settings, origin, log);
  }
}
