import type { HostPattern } from '../resources/hostname.ts';
import { type NamespacedName, nameOf, namespaceOf } from '../resources/keys.ts';
import { type FieldPath, type Problem, problem } from '../resources/problem.ts';
import { Redacted } from '../resources/redacted.ts';
import { isOfReferences } from './conditions.ts';
import type { Objects } from './objects.ts';
import type { ClusterMode, CompileMode } from './options.ts';
import type { PlacedDraft } from './reserved.ts';
import { findSecret } from './secrets.ts';
import type { HostCertificate } from './snapshot.ts';

/** What `spec.tls` of Routes came to. It decides nothing about exposure. */
export interface Certificates {
  readonly byHost: ReadonlyMap<HostPattern, HostCertificate>;
  /** Of every Route that names a certificate. */
  readonly problems: ReadonlyMap<NamespacedName, readonly Problem[]>;
}

/** A certificate that a Route names, and why browsers or OpenSSL won't have it. */
interface Named {
  readonly pair: Pick<HostCertificate, 'secret' | 'certificate' | 'key'>;
  readonly problems: readonly Problem[];
}

/**
 * Each certificate is for the hosts that its accepted Route names, and for no other, whatever names it holds itself: a
 * namespace that may name nothing of a host could else be the one that browsers talk to. Two for one host: the older
 * Route's, unless only the younger one's is sound. `placed`: older Routes first.
 */
export function hostCertificates(placed: readonly PlacedDraft[], objects: Objects, mode: CompileMode): Certificates {
  const byHost = new Map<HostPattern, HostCertificate>();
  const sound = new Set<HostPattern>();
  const problems = new Map<NamespacedName, readonly Problem[]>();
  if (mode.kind === 'Files') return { byHost, problems };
  for (const one of placed) {
    const { route, at } = one.draft;
    if (route.tlsSecret === undefined) continue;
    const named = readPair(route.tlsSecret, objects, mode);
    const found = [...named.problems];
    for (const host of isAccepted(one) ? at.hosts : []) {
      const older = byHost.get(host);
      if (older === undefined || (!sound.has(host) && named.problems.length === 0)) {
        byHost.set(host, { host, route: route.name, ...named.pair });
      } else if (sound.has(host) && older.secret !== named.pair.secret) found.push(overridden(host, older));
      if (named.problems.length === 0) sound.add(host);
    }
    problems.set(route.name, found);
  }
  return { byHost, problems };
}

const AT: FieldPath = ['spec', 'tls', 'secretRef'];

/** As condition `Accepted` says it: nothing is wrong with the Route itself, and it has a place. */
const isAccepted = ({ draft, places }: PlacedDraft): boolean =>
  places.kept.length > 0 && draft.problems.every(({ reason }) => isOfReferences(reason));

function readPair(secret: NamespacedName, objects: Objects, mode: ClusterMode): Named {
  const absent = (full: NamespacedName): string =>
    `there is no Secret ${full} of type ${TYPE}; create it, or have cert-manager issue it, or name another`;
  const found = findSecret(nameOf(secret), namespaceOf(secret), AT, { objects, mode, absent });
  const none = (...problems: readonly Problem[]): Named => ({
    pair: { secret, certificate: '', key: NO_KEY },
    problems,
  });
  if (!found.ok) return none(...found.problems);
  const { type, data } = found.value;
  if (type !== TYPE) {
    return none(problem('InvalidSecretType', AT, `Secret ${secret} is of type ${type}; name one of type ${TYPE}`));
  }
  const certificate = data.get('tls.crt')?.reveal();
  const key = data.get('tls.key');
  if (certificate === undefined || key === undefined) {
    const lacks = certificate === undefined ? 'tls.crt' : 'tls.key';
    return none(problem('CertificateInvalid', AT, `Secret ${secret} has no ${lacks}; it needs both, as PEM`));
  }
  const pair = { secret, certificate, key };
  const fault = mode.certificateFault(certificate, key);
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
