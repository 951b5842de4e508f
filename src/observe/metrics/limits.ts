import type { LimitName } from '../../proxy/limits.ts';
import { counterFamily, type Family } from '../families.ts';

export interface LimitHits {
  readonly family: Family;
  hit(limit: LimitName): void;
  /** `reason`: of a request that was answered 400 or so. Most are of no limit. */
  ofReason(reason: string): void;
}

/** One series for each limit, at 0 from the start, so that an alert can be written before the first time. */
export function limitHits(): LimitHits {
  const family = counterFamily({
    name: 'postern_limit_hits_total',
    help: 'How often a limit of the listeners struck, by its name in --limits.',
    labels: ['limit'],
  });
  for (const name of Object.keys(NAMES)) family.at(name);
  const hit = (limit: LimitName): void => {
    family.at(limit).value += 1;
  };
  return {
    family,
    hit,
    ofReason(reason) {
      const limit = BY_REASON.get(reason);
      if (limit !== undefined) hit(limit);
    },
  };
}

const BY_REASON: ReadonlyMap<string, LimitName> = new Map<string, LimitName>([
  ['target_too_long', 'targetBytes'],
  ['too_many_headers', 'headerLines'],
  ['headers_too_large', 'headerBytes'],
  ['body_too_large', 'bodyBytes'],
  ['body_timeout', 'bodyTimeout'],
  ['body_too_slow', 'bodyRate'],
]);

const NAMES: Readonly<Record<LimitName, true>> = {
  connections: true,
  connectionsPerAddress: true,
  handshakes: true,
  handshakeTimeout: true,
  headTimeout: true,
  targetBytes: true,
  headerLines: true,
  headerBytes: true,
  bodyBytes: true,
  bodyTimeout: true,
  bodyRate: true,
  requestTimeout: true,
  sendTimeout: true,
  keepAliveTimeout: true,
  requestsPerConnection: true,
  pipelinedRequests: true,
  streams: true,
  streamsPerConnection: true,
  halfClosedTimeout: true,
  discardBytes: true,
  discardTimeout: true,
  memory: true,
  loopDelay: true,
};
