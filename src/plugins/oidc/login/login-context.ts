import type { DecisionContext, RequestView } from '../../../routing/decision.ts';
import type { PluginWorld } from '../../contract.ts';
import type { Provider } from '../provider/provider.ts';
import type { OwnCookies } from '../session/own-cookies.ts';
import type { Place } from '../session/place.ts';
import type { Sessions } from '../session/sessions.ts';
import type { OidcConfig } from '../spec/config.ts';
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
  /** The whole Cookie line, as it came. */
  readonly line: string | undefined;
  readonly own: OwnCookies;
}
