import { type NamespacedName, nameOf, namespacedName, namespaceOf } from '../resources/keys.ts';
import { UNVERIFIED } from '../resources/parse-upstream.ts';
import { MAX_AUTHORITIES, pemCertificates } from '../resources/pem.ts';
import { type Checked, type FieldPath, invalid, type Problem, problem, valid } from '../resources/problem.ts';
import type { Backend, ServiceResource } from '../resources/resource.ts';
import {
  type ClientCertificate,
  sameUpstream,
  type UpstreamPolicy,
  type UpstreamSettings,
  type UpstreamTls,
  type UpstreamTlsRefs,
} from '../resources/upstream.ts';
import type { Lookup, Tracker } from './cells.ts';
import { Derived } from './derived.ts';
import { formatBackend } from './guards.ts';
import type { Objects } from './objects.ts';
import type { CompileOptions } from './options.ts';
import { type Secrets, secretReader } from './secrets.ts';

/** How the backend of a Service is reached, or why it can't be: then nothing is, neither in the clear nor unverified. */
export type UpstreamState =
  | { readonly kind: 'Resolved'; readonly settings: UpstreamSettings }
  | { readonly kind: 'Unresolved'; readonly problems: readonly Problem[] };

export type UpstreamStates = Lookup<NamespacedName, UpstreamState | undefined>;

/** Every valid Service. What says the same stays the same value, whatever else is new about its objects. */
export const upstreamSteps = (
  tracker: Tracker,
  { services, secrets }: Pick<Objects, 'services' | 'secrets'>,
  options: CompileOptions,
): Derived<NamespacedName, UpstreamState> =>
  new Derived({
    tracker,
    stride: STRIDE,
    same: sameState,
    make(name) {
      const found = services.get(name);
      return found?.kind === 'Valid' ? resolveUpstream(found.value, secrets, options) : undefined;
    },
  });

/** Services that are handled between two steps. */
const STRIDE = 32;

const sameState = (a: UpstreamState, b: UpstreamState): boolean =>
  a.kind === 'Resolved' && b.kind === 'Resolved' && sameUpstream(a.settings, b.settings);

function resolveUpstream(
  { name, upstream }: ServiceResource,
  secrets: Secrets,
  options: CompileOptions,
): UpstreamState {
  const { policy, tls: refs } = upstream;
  if (refs === undefined) return { kind: 'Resolved', settings: { service: name, policy, tls: undefined } };
  const tls = resolveTls(refs, name, secrets, options);
  return tls.ok
    ? { kind: 'Resolved', settings: { service: name, policy, tls: tls.value } }
    : { kind: 'Unresolved', problems: tls.problems };
}

function resolveTls(
  { verify, serverName, caRef, clientCertRef }: UpstreamTlsRefs,
  service: NamespacedName,
  secrets: Secrets,
  options: CompileOptions,
): Checked<UpstreamTls> {
  const ca = caRef && readAuthorities(caRef, service, secrets, options);
  const client = clientCertRef === undefined ? undefined : readClient(clientCertRef, service, secrets, options);
  const problems = [ca, client].flatMap((read) => (read === undefined || read.ok ? [] : read.problems));
  if (problems.length > 0) return invalid(...problems);
  return valid({
    verify,
    serverName,
    ca: ca?.ok ? ca.value : undefined,
    client: client?.ok ? client.value : undefined,
  });
}

const CA: FieldPath = ['spec', 'tls', 'caRef'];
const CLIENT: FieldPath = ['spec', 'tls', 'clientCertRef'];

/** PEM certificates, each of which can be read: one that can't would fail every connection with a riddle. */
function readAuthorities(
  { name, key }: NonNullable<UpstreamTlsRefs['caRef']>,
  service: NamespacedName,
  secrets: Secrets,
  { mode, pems }: CompileOptions,
): Checked<string> {
  const read = secretReader(secrets, namespaceOf(service), mode, 'Services')(name, key, CA);
  if (!read.ok) return read;
  const certificates = pemCertificates(read.value.reveal());
  const where = `key ${key} of Secret ${name}`;
  if (certificates.length === 0 || certificates.length > MAX_AUTHORITIES) {
    const message = `${where} must hold 1 to ${MAX_AUTHORITIES} PEM certificates (-----BEGIN CERTIFICATE-----)`;
    return invalid(problem('SecretInvalid', CA, message));
  }
  if (pems !== undefined && !certificates.every(pems.isCertificate)) {
    return invalid(problem('SecretInvalid', CA, `${where} holds a PEM certificate that can not be read`));
  }
  return valid(`${certificates.join('\n')}\n`);
}

/**
 * What proves Postern to the upstream is as good as a password: its owner has to have said that it may be used, or whoever
 * may write a Service could act with every certificate of the namespace.
 */
function readClient(
  name: string,
  service: NamespacedName,
  secrets: Secrets,
  { mode, pems }: CompileOptions,
): Checked<ClientCertificate> {
  const read = secretReader(secrets, namespaceOf(service), mode, 'Services');
  const certificate = read(name, 'tls.crt', CLIENT);
  if (!certificate.ok) return certificate;
  const key = read(name, 'tls.key', CLIENT);
  if (!key.ok) return key;
  const type = typeOf(name, service, secrets);
  if (type !== TYPE) {
    return invalid(problem('SecretInvalid', CLIENT, `Secret ${name} is of type ${type}; name one of type ${TYPE}`));
  }
  const pair = { certificate: certificate.value.reveal(), key: key.value };
  const fault =
    pemCertificates(pair.certificate).length === 0 ? 'is no certificate in PEM form' : pems?.pairFault(pair);
  if (fault === undefined) return valid(pair);
  const message = `the certificate in Secret ${name} ${fault}; put a sound one there, or name another Secret`;
  return invalid(problem('SecretInvalid', CLIENT, message));
}

const TYPE = 'kubernetes.io/tls';

function typeOf(name: string, service: NamespacedName, secrets: Secrets): string {
  const found = secrets.get(namespacedName(namespaceOf(service), name));
  return found?.kind === 'Valid' ? found.value.type : 'Opaque';
}

/** For a Route: what is wrong is told at the Service, which may be of another namespace. */
export const upstreamProblem = (service: NamespacedName, path: FieldPath): Problem =>
  problem(
    'ServiceInvalid',
    path,
    `Service ${service} can't be reached as it says in tls; see the conditions of psvc ${nameOf(service)} in namespace ${namespaceOf(service)}`,
  );

/** What weakens it, as paths of its spec. */
export const insecureSettings = ({ upstream }: ServiceResource): readonly string[] =>
  upstream.tls?.verify === false ? ['insecure.unverifiedTLS'] : [];

export const UNVERIFIED_WARNING = problem(
  'InsecureSetting',
  UNVERIFIED,
  'lets whoever is on the way to the upstream read and change everything, sessions’ tokens included: for trying things out only',
);

/** `https://shop/orders:8443`; what is left out is http. */
export function formatUpstream(backend: Backend, { basePath }: UpstreamPolicy): string {
  const text = formatBackend(backend);
  const { protocol } = backend;
  if (backend.kind === 'Url') return protocol === undefined ? text : text.replace(/^https?/, protocol);
  return `${protocol === undefined || protocol === 'http' ? '' : `${protocol}://`}${text}${basePath}`;
}
