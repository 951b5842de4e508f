import type { Redacted } from '../../../resources/redacted.ts';
import type { PluginLog } from '../../contract.ts';

/** The client secrets of one plugin, and which of them the provider took last (F36). */
export interface ClientSecrets {
  /** In the order to try them; undefined stands for a client without one. */
  inOrder(): readonly (Redacted | undefined)[];
  took(secret: Redacted | undefined): void;
  /** It refused them all. */
  refused(): void;
  state(): SecretState;
}

/** What the provider said of the secrets last; Good also where it said nothing yet. */
export type SecretState = 'Good' | 'PreviousOnly' | 'Refused';

/** How long the previous secret is tried first; then the current one may have come into force. Milliseconds. */
const REMEMBER = 10 * 60_000;

export function clientSecrets(
  secrets: readonly Redacted[],
  { now, log }: { now(): number; readonly log: PluginLog },
): ClientSecrets {
  const [current, ...previous] = secrets;
  let state: SecretState = 'Good';
  let since = 0;
  const tell: Readonly<Record<SecretState, () => void>> = {
    Good: () => log.info({}, 'the provider accepts the client secret'),
    PreviousOnly: () => log.warn({}, PREVIOUS_ONLY),
    Refused: () => log.warn({}, REFUSED),
  };
  const becomes = (next: SecretState): void => {
    if (next !== state) tell[next]();
    if (next !== state || now() - since >= REMEMBER) since = now();
    state = next;
  };
  return {
    inOrder() {
      const first = state === 'PreviousOnly' && now() - since < REMEMBER ? previous : [];
      const all = [...first, current, ...previous];
      return all.filter((secret, at) => all.indexOf(secret) === at);
    },
    took: (secret) => becomes(secret === current ? 'Good' : 'PreviousOnly'),
    refused: () => becomes('Refused'),
    state: () => state,
  };
}

export const PREVIOUS_ONLY =
  'The provider refused the client secret and accepted the previous one: finish the rotation there, or put the right secret under the key that clientSecretRef names.';
export const REFUSED =
  'The provider refuses the client id or its secret at the token endpoint: check clientID, clientSecretRef and tokenEndpointAuthMethod.';
