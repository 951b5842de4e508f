import { X509Certificate } from 'node:crypto';
import { foldHeaderName, identityHeaders } from '../../../resources/identity-headers.ts';
import { nameOf } from '../../../resources/keys.ts';
import { canonicalPath, type RoutePath } from '../../../resources/path.ts';
import { MAX_AUTHORITIES, pemCertificates } from '../../../resources/pem.ts';
import { type Checked, type FieldPath, type Problem, problem } from '../../../resources/problem.ts';
import type { Redacted } from '../../../resources/redacted.ts';
import type { PluginResource } from '../../../resources/resource.ts';
import type { CompiledPlugin, PluginCompileContext } from '../../../routing/plugin-rules.ts';
import type { OidcConfig } from './config.ts';
import { isOpenSignUp } from './open-sign-up.ts';
import type { OidcSpec } from './spec.ts';
import { CLIENT_VALUE, isClientValue } from './spec-fields.ts';

export type CompiledOidc = Omit<CompiledPlugin, 'config'> & { readonly config: OidcConfig };

/** A checked OidcPlugin with its references resolved. Pure; never throws. */
export function compileOidc(
  resource: PluginResource,
  spec: OidcSpec,
  context: PluginCompileContext,
): Checked<CompiledOidc> {
  const problems: Problem[] = [];
  const collect = <T>(checked: Checked<T>): T | undefined => {
    if (checked.ok) return checked.value;
    problems.push(...checked.problems);
    return undefined;
  };

  const clientId = 'id' in spec.client ? spec.client.id : collect(readClientId(spec.client.ref, context));
  const clientSecrets = collect(readClientSecrets(spec, context));
  const ca = spec.caRef === undefined ? undefined : collect(readAuthorities(spec.caRef, context));
  const redirectPath = collect(ownPath(resource, spec.redirectPath, 'callback', ['spec', 'redirectPath']));
  const logoutPath = collect(ownPath(resource, spec.logout.path, 'logout', ['spec', 'logout', 'path']));
  if (redirectPath !== undefined && redirectPath === logoutPath) {
    problems.push(problem('Invalid', ['spec', 'logout', 'path'], 'must differ from redirectPath'));
  }
  problems.push(...checkHeaders(spec, context), ...checkOutside(spec, context));
  if (problems.length > 0) return { ok: false, problems };
  if (clientId === undefined || clientSecrets === undefined || redirectPath === undefined || logoutPath === undefined) {
    return { ok: false, problems: [problem('Invalid', ['spec'], 'could not be compiled')] };
  }

  const { caRef: _ca, client: _client, clientSecretRef: _secret, ...rest } = spec;
  const logout = { ...spec.logout, path: logoutPath };
  return {
    ok: true,
    value: {
      config: { ...rest, ca, clientId, clientSecrets, redirectPath, logout },
      reserved: [
        { purpose: 'callback', path: redirectPath },
        { purpose: 'logout', path: logoutPath },
      ],
      warnings: insecureWarnings(spec),
      insecure: insecureSettings(spec),
      openSignUp: isOpenSignUp(spec.issuer),
    },
  };
}

type Ref = NonNullable<OidcSpec['caRef']>;

function readClientId(ref: Ref, { secret }: PluginCompileContext): Checked<string> {
  const path: FieldPath = ['spec', 'clientIDRef'];
  const read = secret(ref.name, ref.key, path);
  if (!read.ok) return read;
  const id = read.value.reveal();
  return isClientValue(id) ? { ok: true, value: id } : refused(path, ref, `must hold ${CLIENT_VALUE}`);
}

/** The current secret, then the previous one, where the Secret has one: a rotation needs no outage (F36). */
function readClientSecrets(
  { clientSecretRef: ref }: OidcSpec,
  { secret }: PluginCompileContext,
): Checked<readonly Redacted[]> {
  if (ref === undefined) return { ok: true, value: [] };
  const path: FieldPath = ['spec', 'clientSecretRef'];
  const current = secret(ref.name, ref.key, path);
  if (!current.ok) return current;
  const previous = secret(ref.name, `${ref.key}-previous`, path);
  const all = previous.ok ? [current.value, previous.value] : [current.value];
  for (const value of all) {
    if (!isClientValue(value.reveal())) return refused(path, ref, `must hold ${CLIENT_VALUE}`);
  }
  return { ok: true, value: all };
}

/** PEM certificates, each of which can be read: one that can't would fail every call with a riddle. */
function readAuthorities(ref: Ref, { secret }: PluginCompileContext): Checked<string> {
  const path: FieldPath = ['spec', 'tls', 'caRef'];
  const read = secret(ref.name, ref.key, path);
  if (!read.ok) return read;
  const certificates = pemCertificates(read.value.reveal());
  if (certificates.length === 0 || certificates.length > MAX_AUTHORITIES) {
    return refused(path, ref, `must hold 1 to ${MAX_AUTHORITIES} PEM certificates (-----BEGIN CERTIFICATE-----)`);
  }
  if (!certificates.every(isCertificate)) return refused(path, ref, 'holds a PEM certificate that can not be read');
  return { ok: true, value: `${certificates.join('\n')}\n` };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

const refused = (path: FieldPath, ref: Ref, what: string) => ({
  ok: false as const,
  problems: [problem('SecretInvalid', path, `key ${ref.key} of Secret ${ref.name} ${what}`)],
});

/** Own paths of each plugin on a host: a response of one provider can't be handed to another plugin (A113). */
function ownPath(
  resource: PluginResource,
  given: RoutePath | undefined,
  purpose: 'callback' | 'logout',
  path: FieldPath,
): Checked<RoutePath> {
  if (given !== undefined) return { ok: true, value: given };
  const made = canonicalPath(`/_oidc/${nameOf(resource.name)}/${purpose}`);
  return made.ok
    ? { ok: true, value: made.path }
    : {
        ok: false,
        problems: [problem('Invalid', path, 'must be written out, for the name of the plugin gives no path')],
      };
}

/** Invariant 3: what is not in the set is not removed from what clients send, so it can't carry an identity. */
function checkHeaders({ upstream }: OidcSpec, context: PluginCompileContext): readonly Problem[] {
  const set = context.identityHeaders ?? identityHeaders([]);
  const { accessToken, idTokenHeader, claims } = upstream;
  const named: (readonly [FieldPath, string])[] = claims.map(({ header }, at) => [['claims', at, 'header'], header]);
  if (accessToken.kind === 'Header') named.push([['accessTokenHeader'], accessToken.name]);
  if (idTokenHeader !== undefined) named.push([['idTokenHeader'], idTokenHeader]);

  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [path, name] of named) {
    const field = ['spec', 'upstream', ...path];
    const folded = foldHeaderName(name);
    if (!set.has(name)) problems.push(problem('Invalid', field, `is ${name}, ${NOT_IDENTITY}`));
    else if (seen.has(folded))
      problems.push(problem('Invalid', field, `is ${name}, which something else is written to already`));
    seen.add(folded);
  }
  return problems;
}

const NOT_IDENTITY =
  'which is no identity header: take X-Forwarded-User, X-Forwarded-Email, X-Forwarded-Groups, X-Forwarded-Preferred-Username, X-Forwarded-Access-Token or one that starts with X-Auth-Request-, X-Remote-, Remote-, X-Webauth- or X-Postern-, or add it with --identity-headers';

/** Browsers keep `Secure` and `__Host-` cookies of https only, so that no login would ever succeed. */
function checkOutside({ insecure }: OidcSpec, { external }: PluginCompileContext): readonly Problem[] {
  if (external.scheme === 'https' || insecure.httpCookies) return [];
  const message =
    'must be true where browsers reach Postern over plain http, for they would drop the session cookie; use it on loopback names only, or set --external-scheme https';
  return [problem('UnsupportedValue', ['spec', 'insecure', 'httpCookies'], message)];
}

const insecureSettings = ({ insecure }: OidcSpec): readonly string[] =>
  Object.entries(insecure).flatMap(([name, on]) => (on ? [`insecure.${name}`] : []));

function insecureWarnings({ insecure }: OidcSpec): readonly Problem[] {
  const warnings: Problem[] = [];
  const warn = (field: string, message: string): void => {
    warnings.push(problem('InsecureSetting', ['spec', 'insecure', field], message));
  };
  if (insecure.httpCookies) warn('httpCookies', 'lets session cookies travel over plain http: for loopback names only');
  if (insecure.httpProvider)
    warn('httpProvider', 'lets the client secret and tokens travel over plain http: for trying things out only');
  return warnings;
}
