import { associatedData } from '../../../keys/seal.ts';
import type { DecisionContext, RequestView } from '../../../routing/decision.ts';
import type { OidcConfig } from '../spec/config.ts';
import { type CookieMode, cookieModeOf } from './outside.ts';
import { type CookieNames, cookieNames } from './own-cookies.ts';

/** One plugin on one host: what an attempt and a session are bound to, and worthless without (invariants 5 and 6). */
export interface Place {
  readonly host: string;
  /** `https://shop.example.com`, from configuration. */
  readonly origin: string;
  readonly redirectUri: string;
  readonly cookies: CookieMode;
  readonly names: CookieNames;
  /** For what is sealed here; `kind` tells states from sessions. */
  bind(kind: string): Buffer;
}

export type FindPlace = (request: RequestView, context: DecisionContext) => Place | undefined;

/** Hosts under a wildcard are chosen by whoever asks, so only so many are remembered (invariant 7). */
const MAX_PLACES = 256;

/** Undefined: this origin can't have safe cookies (outside.ts). `pluginIdentity`: UID, or namespace/name. */
export function createPlaces(config: OidcConfig, pluginIdentity: string): FindPlace {
  const known = new Map<string, Place>();
  return ({ host }, { origin }) => {
    const before = known.get(host);
    if (before !== undefined && before.origin === origin) return before;
    const cookies = cookieModeOf(origin, config);
    if (cookies === undefined) return undefined;
    const place: Place = {
      host,
      origin,
      redirectUri: origin + config.redirectPath,
      cookies,
      names: cookieNames(pluginIdentity, cookies),
      bind: (kind) => associatedData(kind, pluginIdentity, config.issuer, config.clientId, host),
    };
    if (known.size >= MAX_PLACES) known.clear();
    known.set(host, place);
    return place;
  };
}
