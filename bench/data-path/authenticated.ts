import type { Figure } from '../statistics.ts';
import type { Contender } from './contender.ts';
import { startExternal } from './external.ts';
import { startGateway } from './gateway.ts';
import { startAuthRequest, startPlain, type Upstream } from './nginx.ts';
import { startHaproxy, startModAuthOpenidc } from './peers.ts';
import { interleaved, ratio, ratioFigure } from './rounds.ts';
import { wrk } from './wrk.ts';

const SECONDS = 3;
const MANY = 'postern, 10,000 Routes';
const SILENT = 'postern, no access log';

export interface Capacity {
  /** Requests a second of Postern on one core. */
  readonly perSecond: number;
}

/** Processor of an authenticated request against everybody. */
export async function authenticated(upstream: Upstream): Promise<{ figures: readonly Figure[]; capacity: Capacity }> {
  const contenders: Contender[] = [];
  const start = async (starting: Promise<Contender | undefined>): Promise<Contender | undefined> => {
    const contender = await starting;
    if (contender !== undefined) contenders.push(contender);
    return contender;
  };
  try {
    const { port } = upstream;
    await start(startPlain(port));
    await start(startGateway({ upstreamPort: port }));
    await start(startGateway({ upstreamPort: port, routes: 10_000, name: MANY }));
    await start(startGateway({ upstreamPort: port, name: SILENT, flags: ['--log-level', 'warn'] }));
    await start(startHaproxy(port));
    await start(startAuthRequest(port));
    await start(startModAuthOpenidc(port));
    const external = await start(startExternal(port));
    const rounds = await interleaved(contenders, (contender) => wrk(contender, { seconds: SECONDS, connections: 64 }));
    const against = (name: string, most?: number): Figure =>
      ratioFigure('CPU per authenticated request', name, ratio(rounds, 'postern', name), most);
    const perSecond = ratio(rounds, 'postern', 'postern', () => 1) * medianOf(rounds.get('postern') ?? []);
    return {
      figures: [
        against('nginx, plain proxy', 2),
        against('haproxy, plain proxy'),
        against('nginx, auth_request'),
        against('apache, mod_auth_openidc', 0.25),
        ...(external === undefined ? [] : [against(external.name)]),
        ratioFigure('CPU per request, 10,000 Routes', '3 Routes', ratio(rounds, MANY, 'postern'), 1.05),
        ratioFigure('CPU per request', 'without access log', ratio(rounds, 'postern', SILENT)),
      ],
      capacity: { perSecond },
    };
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()));
  }
}

const medianOf = (rounds: readonly { readonly perSecond: number }[]): number => {
  const sorted = rounds.map(({ perSecond }) => perSecond).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};
