import type { HostPattern } from '../resources/hostname.ts';
import { type NamespacedName, nameOf, namespaceOf } from '../resources/keys.ts';
import { type FieldPath, type Problem, problem } from '../resources/problem.ts';
import { Redacted } from '../resources/redacted.ts';
import type { SecretResource } from '../resources/resource.ts';
import { isOfReferences } from './conditions.ts';
import type { PlacedRoute } from './findings.ts';
import type { Memo } from './memo.ts';
import type { ClusterMode, CompileMode } from './options.ts';
import { findSecret, type Secrets } from './secrets.ts';
import type { HostCertificate } from './snapshot.ts';
import type { Steps } from './steps.ts';

/** What `spec.tls` of Routes came to. It decides nothing about exposure. */
export interface Certificates {
  readonly byHost: ReadonlyMap<HostPattern, HostCertificate>;
  /** Of every Route that names a certificate. */
  readonly problems: ReadonlyMap<NamespacedName, readonly Problem[]>;
}

/** A certificate that a Route names, and why browsers or OpenSSL won't have it. */
export interface Named {
  readonly pair: Pick<HostCertificate, 'secret' | 'certificate' | 'key'>;
  readonly problems: readonly Problem[];
}

/** What is remembered: pairs by Secret, and what is shown by host. */
export interface CertificateMemory {
  readonly pairs: Memo<NamespacedName, Named>;
  readonly shown: Memo<HostPattern, HostCertificate>;
  readonly all: Memo<'all', ReadonlyMap<HostPattern, HostCertificate>>;
}

/**
 * Each certificate is for the hosts that its accepted Route names, and for no other, whatever names it holds itself: a
 * namespace that may name nothing of a host could else be the one that browsers talk to. Two for one host: the older
 * Route's, unless only the younger one's is sound. `placed`: older Routes first.
 */
export function* hostCertificates(
  placed: readonly PlacedRoute[],
  secrets: Secrets,
  mode: CompileMode,
  memory: CertificateMemory,
): Steps<Certificates> {
  const byHost = new Map<HostPattern, HostCertificate>();
  const sound = new Set<HostPattern>();
  const problems = new Map<NamespacedName, readonly Problem[]>();
  if (mode.kind === 'Files') return { byHost, problems };
  for (const [n, one] of placed.entries()) {
    if (n % STRIDE === 0) yield;
    const { route, at } = one.draft;
    if (route.tlsSecret === undefined) continue;
    const named = readPair(route.tlsSecret, secrets, mode, memory.pairs);
    const found = [...named.problems];
    for (const host of isAccepted(one) ? at.hosts : []) {
      const older = byHost.get(host);
      if (older === undefined || (!sound.has(host) && named.problems.length === 0)) {
        const { secret, certificate, key } = named.pair;
        const inputs = [route.name, secret, certificate, key];
        byHost.set(
          host,
          memory.shown.get(host, inputs, () => ({ host, route: route.name, ...named.pair })),
        );
      } else if (sound.has(host) && older.secret !== named.pair.secret) found.push(overridden(host, older));
      if (named.problems.length === 0) sound.add(host);
    }
    problems.set(route.name, found);
  }
  return { byHost: memory.all.get('all', [...byHost.values()], () => byHost), problems };
}

/** Routes that are handled between two steps. */
const STRIDE = 32;

const AT: FieldPath = ['spec', 'tls', 'secretRef'];

/** As condition `Accepted` says it: nothing is wrong with the Route itself, and it has a place. */
const isAccepted = ({ draft, shares }: PlacedRoute): boolean =>
  shares.some(({ places }) => places.kept.length > 0) && draft.problems.every(({ reason }) => isOfReferences(reason));

/** Time alone can make a pair faulty, so that this is asked in every run. */
function readPair(
  secret: NamespacedName,
  secrets: Secrets,
  mode: ClusterMode,
  memory: CertificateMemory['pairs'],
): Named {
  const found = secrets.get(secret);
  const pems = found?.kind === 'Valid' ? pemsOf(found.value) : undefined;
  const fault = pems && mode.certificateFault(pems.certificate, pems.key);
  return memory.get(secret, [found, fault], () => namedPair(secret, secrets, mode, fault));
}

function pemsOf({ type, data }: SecretResource): Pick<HostCertificate, 'certificate' | 'key'> | undefined {
  const certificate = data.get('tls.crt')?.reveal();
  const key = data.get('tls.key');
  return type !== TYPE || certificate === undefined || key === undefined ? undefined : { certificate, key };
}

/** `fault`: of the pair, where there is one. */
function namedPair(secret: NamespacedName, secrets: Secrets, mode: ClusterMode, fault: string | undefined): Named {
  const absent = (full: NamespacedName): string =>
    `there is no Secret ${full} of type ${TYPE}; create it, or have cert-manager issue it, or name another`;
  const found = findSecret(nameOf(secret), namespaceOf(secret), AT, { secrets, mode, absent });
  const none = (...problems: readonly Problem[]): Named => ({
    pair: { secret, certificate: '', key: NO_KEY },
    problems,
  });
  if (!found.ok) return none(...found.problems);
  const { type, data } = found.value;
  if (type !== TYPE) {
    return none(problem('InvalidSecretType', AT, `Secret ${secret} is of type ${type}; name one of type ${TYPE}`));
  }
  const pems = pemsOf(found.value);
  if (pems === undefined) {
    const lacks = data.has('tls.crt') ? 'tls.key' : 'tls.crt';
    return none(problem('CertificateInvalid', AT, `Secret ${secret} has no ${lacks}; it needs both, as PEM`));
  }
  const pair = { secret, ...pems };
  if (fault === undefined) return { pair, problems: [] };
  const message = `the certificate in Secret ${secret} ${fault}; put a sound one there, or name another Secret`;
  return { pair, problems: [problem('CertificateInvalid', AT, message)] };
}

const NO_KEY = new Redacted('');

const TYPE = 'kubernetes.io/tls';

function overridden(host: HostPattern, older: HostCertificate): Problem {
  const message = `on ${host} browsers are shown the certificate of Secret ${older.secret}, which the older Route ${older.route} names; name that one here too, or none`;
  return problem('CertificateOverridden', AT, message);
}
