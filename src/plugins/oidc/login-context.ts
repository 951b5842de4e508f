import type { DecisionContext, RequestView } from '../../routing/decision.ts';
import type { PluginWorld } from '../contract.ts';
import type { OidcConfig } from './config.ts';
import type { OwnCookies } from './own-cookies.ts';
import type { Place } from './place.ts';
import type { Provider } from './provider.ts';
import type { Sessions } from './sessions.ts';
import type { UsedAttempts } from './used-attempts.ts';

/** What a running plugin consists of. */
export interface Parts {
  readonly config: OidcConfig;
  readonly world: PluginWorld;
  readonly provider: Provider;
  readonly sessions: Sessions;
  readonly used: UsedAttempts;
}

/** One request on its way through the plugin. */
export interface Visit {
  readonly request: RequestView;
  readonly context: DecisionContext;
  readonly place: Place;
  readonly own: OwnCookies;
}
