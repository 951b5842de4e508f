import type { PluginLog } from '../plugins/contract.ts';

/** A terminal sends Ctrl-C to every process of the group, and npm passes it on once more: together they are one. */
const SAME_SIGNAL = 500;

/**
 * Resolves with the first SIGTERM or SIGINT. `again` is called at a second one: the person doesn't want to wait.
 */
export function endRequested(again: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const hear = (signal: NodeJS.Signals): void => {
      if (first === undefined) {
        first = performance.now();
        resolve(signal);
      } else if (performance.now() - first > SAME_SIGNAL) again();
    };
    process.on('SIGTERM', hear);
    process.on('SIGINT', hear);
  });
}

/** An exception that nobody caught is a bug, and what state it left is unknown: the process ends, with the cause logged. */
export function endOnBug(log: PluginLog, flush: () => void): void {
  const end = (error: unknown): void => {
    log.error({ err: error }, 'this is a bug in Postern; the process ends');
    flush();
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

/** Whoever read our output went away (`postern validate | head`, a log collector that died): no reason to die (T26). */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
