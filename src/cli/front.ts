import { setTimeout as sleep } from 'node:timers/promises';
import type { Control } from '../control/control.ts';
import { observeRequests } from '../observe/requests.ts';
import type { PluginLog } from '../plugins/contract.ts';
import type { Forwarder } from '../proxy/forwarder.ts';
import { createFront, type HttpsOptions } from '../proxy/front.ts';
import type { Cut } from '../proxy/record.ts';
import { identityHeaders } from '../resources/identity-headers.ts';
import { addressText, listening } from './listen.ts';
import { fittingLimits, openFilesLimit } from './open-files.ts';
import type { Parts } from './parts.ts';
import type { Endpoint } from './values.ts';
import { VERSION } from './version.ts';

/** The listeners that browsers reach. */
export interface OpenFront {
  /** Goes on serving for the grace time, then takes no more, and lets what is under way finish. */
  end(): Promise<void>;
}

export interface FrontParts {
  readonly control: Control;
  readonly forwarder: Forwarder;
  readonly https?: HttpsOptions & { readonly endpoint: Endpoint };
}

/** Opens the listeners: from here on the process serves. @throws StartFailure where an address can't be had. */
export async function openFront(parts: Parts, { control, forwarder, https }: FrontParts): Promise<OpenFront> {
  const { settings, log, metrics, state } = parts;
  const front = createFront({
    acquire: control.acquire,
    forwarder,
    observer: observeRequests(metrics.requests, log, log.part('main')),
    external: settings.external,
    limits: fittingLimits(settings.limits, log.part('main'), openFilesLimit()),
    overload: parts.overload.overload,
    identityHeaders: identityHeaders(settings.identityHeaders),
    trustedProxies: settings.trustedProxies,
    proxyProtocol: settings.proxyProtocol,
    forwardedHeader: settings.forwardedHeader,
    health: settings.healthPath === undefined ? undefined : { path: settings.healthPath, ready: () => !state.ending },
    https,
    log: log.part('proxy'),
    now: parts.ticks,
  });
  await listening('listen', settings.listen, () => front.plain.listen(settings.listen));
  if (https !== undefined)
    await listening('listen-https', https.endpoint, async () => front.https?.listen(https.endpoint));
  state.serving = true;
  return {
    async end() {
      state.ending = true;
      front.drain();
      await sleep(settings.grace);
      tellCut(await front.close(settings.drain), log.part('main'));
    },
  };
}

/** What was lost, and how to lose less: the process ends before a scrape can tell (F26). */
function tellCut({ requests, tunnels }: Cut, log: Pick<PluginLog, 'warn' | 'info'>): void {
  if (requests > 0)
    log.warn(
      { requests, tunnels },
      'requests were cut when the drain time was over: where they may take longer, raise --drain',
    );
  else if (tunnels > 0) log.info({ requests, tunnels }, 'tunnels (WebSocket) were ended when the drain time was over');
}

/** The line that says that all is well. `from`: where the objects are. */
export function tellServing(
  { settings, log }: Parts,
  https: Endpoint | undefined,
  from: Readonly<Record<string, string>>,
): void {
  log.part('main').info(
    {
      listen: addressText(settings.listen),
      ...(https === undefined ? {} : { listen_https: addressText(https) }),
      admin: addressText(settings.admin),
      debug: settings.debug === undefined ? 'off' : addressText(settings.debug),
      ...from,
    },
    `postern ${VERSION} serves`,
  );
}
