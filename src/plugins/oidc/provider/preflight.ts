import type { ServerMetadata } from 'openid-client';
import type { InstanceCheck } from '../../../routing/decision.ts';
import type { OidcConfig } from '../spec/config.ts';
import { PREVIOUS_ONLY, REFUSED, type SecretState } from './client-secrets.ts';
import { type ClockStep, clockWords } from './clock.ts';

/** What the last look at a provider gave. */
export interface Look {
  readonly outcome: LookOutcome;
  /** Undefined: no metadata were ever found. */
  readonly metadata: ServerMetadata | undefined;
  /** `seen`: an answer said what time it is there. `step` undefined: the same as here. */
  readonly clocks: { readonly seen: boolean; readonly step: ClockStep | undefined };
  readonly secret: SecretState;
}

export type LookOutcome =
  /** Algorithms of the usable keys. */
  | { readonly ok: true; readonly algs: readonly string[] }
  | { readonly ok: false; readonly at: 'Discovery' | 'Keys'; readonly reason: string; readonly message: string };

type Result = InstanceCheck['result'];
const check = (name: string, result: Result, message: string): InstanceCheck => ({ name, result, message });

/** What whoever set up the plugin wants to know of its provider, as far as it is known. Pure; in fixed order. */
export function preflight(config: OidcConfig, look: Look): readonly InstanceCheck[] {
  const { outcome, metadata } = look;
  const configured = isConfigured(config);
  const checks = [discovery(outcome, configured), issuer(config, outcome, configured), keys(outcome)];
  if (metadata !== undefined) checks.push(pkce(metadata, configured));
  if (metadata !== undefined || look.secret !== 'Good') checks.push(client(config, look, configured));
  if (look.clocks.seen) checks.push(clock(look.clocks.step));
  return checks;
}

/** Whether every endpoint that is needed stands in the spec, so that no discovery document is asked for. */
export const isConfigured = ({ endpoints: { authorization, token, jwks } }: OidcConfig): boolean =>
  authorization !== undefined && token !== undefined && jwks !== undefined;

function discovery(outcome: LookOutcome, configured: boolean): InstanceCheck {
  if (configured) return check('Discovery', 'Unknown', 'spec.endpoints has every endpoint, so none was asked for.');
  if (!outcome.ok && outcome.at === 'Discovery' && outcome.reason !== 'IssuerMismatch') {
    return check('Discovery', 'Failed', outcome.message);
  }
  return check('Discovery', 'Passed', 'The discovery document was found.');
}

function issuer({ issuer: name }: OidcConfig, outcome: LookOutcome, configured: boolean): InstanceCheck {
  if (!outcome.ok && outcome.reason === 'IssuerMismatch') return check('Issuer', 'Failed', outcome.message);
  if (configured || (!outcome.ok && outcome.at === 'Discovery')) {
    return check('Issuer', 'Unknown', 'The provider was not heard; each ID token is checked for it.');
  }
  return check('Issuer', 'Passed', `The provider names itself ${name}, as spec.issuer does.`);
}

function keys(outcome: LookOutcome): InstanceCheck {
  if (outcome.ok) return check('Keys', 'Passed', `There are keys for ${outcome.algs.join(', ')}.`);
  return outcome.at === 'Keys'
    ? check('Keys', 'Failed', outcome.message)
    : check('Keys', 'Unknown', 'They are asked for once the metadata are known.');
}

/** RFC 8414 `code_challenge_methods_supported`; absent, some providers support it nevertheless. */
function pkce(metadata: ServerMetadata, configured: boolean): InstanceCheck {
  const methods = listOf(metadata.code_challenge_methods_supported);
  if (configured || methods === undefined) {
    return check('PKCE', 'Unknown', 'The provider does not say whether it supports S256, which is used all the same.');
  }
  return methods.includes('S256')
    ? check('PKCE', 'Passed', 'The provider supports S256.')
    : check('PKCE', 'Warning', 'The provider does not list S256, which is always used: logins may fail there.');
}

/** OpenID Connect Discovery section 3: without the list, it is client_secret_basic. */
function client(config: OidcConfig, { metadata, secret }: Look, configured: boolean): InstanceCheck {
  const name = 'ClientAuthentication';
  if (secret === 'Refused') return check(name, 'Failed', REFUSED);
  if (secret === 'PreviousOnly') return check(name, 'Warning', PREVIOUS_ONLY);
  const method = config.tokenEndpointAuthMethod;
  if (configured) return check(name, 'Unknown', `${method} is used; what the provider offers was not asked for.`);
  const offered = listOf(metadata?.token_endpoint_auth_methods_supported) ?? ['client_secret_basic'];
  if (offered.includes(method)) return check(name, 'Passed', `The provider offers ${method}.`);
  const usable = USABLE.filter((each) => offered.includes(each));
  const advice =
    usable.length === 0
      ? 'it offers none that Postern has'
      : `write tokenEndpointAuthMethod: ${usable.join(' or ')}, if the client is registered so`;
  return check(name, 'Warning', `The provider does not offer ${method}, so logins may fail: ${advice}.`);
}

/** openid-client doesn't look at members that it doesn't use. */
const listOf = (value: unknown): readonly unknown[] | undefined => (Array.isArray(value) ? value : undefined);

const USABLE = ['client_secret_basic', 'client_secret_post', 'none'];

function clock(step: ClockStep | undefined): InstanceCheck {
  if (step === undefined) return check('Clock', 'Passed', 'The clocks of the provider and of this gateway agree.');
  return check(
    'Clock',
    'Warning',
    `The clock of the provider is ${clockWords(step)} that of this gateway: set both by NTP; logins fail beyond spec.clockTolerance.`,
  );
}
