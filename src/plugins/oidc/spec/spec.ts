import type { RoutePath } from '../../../resources/path.ts';
import { type Checked, type Problem, problem } from '../../../resources/problem.ts';
import type { OidcConfig } from './config.ts';
import {
  checkClaims,
  checkClient,
  checkEndpoints,
  checkIssuer,
  checkPaths,
  checkPostLogout,
  checkProxy,
  checkRepeated,
  checkRequest,
  checkTimes,
  checkUpstream,
  type Report,
} from './spec-fields.ts';
import type { OidcWire } from './wire.ts';

type SecretRef = NonNullable<OidcWire['clientSecretRef']>;

/** A checked OidcPlugin: everything but its references, its name and the outside address is in its final form. */
export type OidcSpec = Omit<OidcConfig, 'ca' | 'clientId' | 'clientSecrets' | 'redirectPath' | 'logout'> & {
  readonly caRef: SecretRef | undefined;
  readonly client: { readonly id: string } | { readonly ref: SecretRef };
  readonly clientSecretRef: SecretRef | undefined;
  /** Undefined: made of the plugin's name. */
  readonly redirectPath: RoutePath | undefined;
  readonly logout: Omit<OidcConfig['logout'], 'path'> & { readonly path: RoutePath | undefined };
};

/** What the schema can't say, for it becomes the CRD. Every problem of the object at once. */
export function checkSpec(wire: OidcWire): Checked<OidcSpec> {
  const problems: Problem[] = [];
  const found: Report = (path, message) => void problems.push(problem('Invalid', ['spec', ...path], message));

  checkIssuer(wire, found);
  checkEndpoints(wire, found);
  const proxy = checkProxy(wire, found);
  checkClient(wire, found);
  checkRequest(wire, found);
  checkRepeated(wire, found);
  const paths = checkPaths(wire, found);
  const times = checkTimes(wire, found);
  const claims = checkClaims(wire, found);
  const upstream = checkUpstream(wire, found);
  checkPostLogout(wire, found);
  if (wire.session.cookie.sameSite === 'None' && wire.insecure.httpCookies) {
    found(
      ['session', 'cookie', 'sameSite'],
      'must be Lax with insecure.httpCookies: browsers drop SameSite=None cookies that are not Secure',
    );
  }
  const client = wire.clientID !== undefined ? { id: wire.clientID } : wire.clientIDRef && { ref: wire.clientIDRef };
  if (problems.length > 0 || client === undefined) return { ok: false, problems };

  return {
    ok: true,
    value: {
      issuer: wire.issuer,
      endpoints: {
        authorization: wire.endpoints.authorization,
        token: wire.endpoints.token,
        jwks: wire.endpoints.jwks,
        endSession: wire.endpoints.endSession,
      },
      internalBase: wire.endpoints.internalBase,
      proxy,
      caRef: wire.tls.caRef,
      client,
      clientSecretRef: wire.clientSecretRef,
      tokenEndpointAuthMethod: wire.tokenEndpointAuthMethod,
      scopes: wire.scopes,
      extraParams: Object.fromEntries(wire.extraParams.map(({ name, value }) => [name, value])),
      prompt: wire.prompt,
      allowedAlgs: wire.allowedAlgs,
      audiences: wire.audiences,
      ...times,
      claims,
      upstream,
      unauthenticated: wire.unauthenticated,
      redirectPath: paths.redirect,
      logout: {
        path: paths.logout,
        rpInitiated: wire.logout.rpInitiated,
        idTokenHint: wire.logout.idTokenHint,
        postLogoutRedirectUri: wire.logout.postLogoutRedirectURI,
      },
      insecure: wire.insecure,
    },
  };
}
