import type { Control } from '../control/control.ts';
import { explainRequest } from '../control/explain.ts';
import { describeControl } from '../control/view.ts';
import { type Check, startAdmin } from '../observe/admin.ts';
import { startDebug } from '../observe/debug.ts';
import { listening } from './listen.ts';
import type { Parts } from './parts.ts';

/** What is seen of the process from outside, from its first moment to its last. */
export interface Views {
  close(): Promise<void>;
}

export interface ViewsOptions {
  /** What readiness depends on besides the listeners and the end of the process. */
  readonly checks: readonly Check[];
  /** Undefined while there is none yet. */
  control(): Control | undefined;
  /** Further pages of the debug listener, as JSON without secrets. */
  readonly debugPages?: Readonly<Record<string, () => unknown>>;
}

/** The admin and the debug listener. @throws StartFailure where an address can't be had. */
export async function openViews(parts: Parts, options: ViewsOptions): Promise<Views> {
  const { settings, log, metrics, overload, state } = parts;
  const ready: readonly Check[] = [
    ...options.checks,
    {
      name: 'table',
      failure: () => (options.control()?.current() === undefined ? 'no table is published yet' : undefined),
    },
    { name: 'listener', failure: () => (state.serving ? undefined : 'it is not open yet') },
    { name: 'shutdown', failure: () => (state.ending ? 'this process is ending' : undefined) },
  ];
  const admin = await listening('admin', settings.admin, () =>
    startAdmin({
      endpoint: settings.admin,
      metrics,
      ready,
      live: [
        {
          name: 'event-loop',
          failure: () => (overload.stuck ? 'it is seconds late, and has been for long' : undefined),
        },
      ],
      log: log.part('admin'),
    }),
  );
  const debug = await openDebug(parts, options);
  return {
    async close() {
      await debug?.close();
      await admin.close();
    },
  };
}

async function openDebug({ settings, log }: Parts, { control, debugPages }: ViewsOptions) {
  const endpoint = settings.debug;
  if (endpoint === undefined) return undefined;
  return await listening('debug', endpoint, () =>
    startDebug({
      endpoint,
      snapshot() {
        const running = control();
        return running === undefined ? undefined : describeControl(running);
      },
      explain(question) {
        const running = control();
        return running === undefined ? undefined : explainRequest(running, question);
      },
      pages: debugPages ?? {},
      log: log.part('debug'),
    }),
  );
}
