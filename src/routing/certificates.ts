import type { HostPattern } from '../resources/hostname.ts';
import { type NamespacedName, nameOf, namespaceOf } from '../resources/keys.ts';
import { type Checked, type FieldPath, invalid, type Problem, problem, valid } from '../resources/problem.ts';
import { isOfReferences } from './conditions.ts';
import type { Objects } from './objects.ts';
import type { ClusterMode, CompileMode } from './options.ts';
import type { PlacedDraft } from './reserved.ts';
import { findSecret } from './secrets.ts';
import type { HostCertificate } from './snapshot.ts';

/** What `spec.tls` of Routes came to. It decides nothing about exposure. */
export interface Certificates {
  readonly shown: ReadonlyMap<HostPattern, HostCertificate>;
  /** Hosts for which accepted Routes name certificates, none of which can be shown. */
  readonly missing: ReadonlySet<HostPattern>;
  /** Of every Route that names a certificate. */
  readonly problems: ReadonlyMap<NamespacedName, readonly Problem[]>;
}

type Pair = Pick<HostCertificate, 'secret' | 'certificate' | 'key'>;

/**
 * Each certificate is shown for the hosts that its accepted Route names, and for no other, whatever names it holds itself:
 * a namespace that names nothing of a host could else be the one that browsers talk to. Two for one host: the older
 * Route's. `placed`: older Routes first.
 */
export function hostCertificates(placed: readonly PlacedDraft[], objects: Objects, mode: CompileMode): Certificates {
  const shown = new Map<HostPattern, HostCertificate>();
  const wanted = new Set<HostPattern>();
  const problems = new Map<NamespacedName, readonly Problem[]>();
  if (mode.kind === 'Files') return { shown, missing: wanted, problems };
  for (const one of placed) {
    const { route, at } = one.draft;
    if (route.tlsSecret === undefined) continue;
    const pair = readPair(route.tlsSecret, objects, mode);
    const found = pair.ok ? [] : [...pair.problems];
    for (const host of isAccepted(one) ? at.hosts : []) {
      wanted.add(host);
      if (!pair.ok) continue;
      const older = shown.get(host);
      if (older === undefined) shown.set(host, { host, route: route.name, ...pair.value });
      else if (older.secret !== pair.value.secret) found.push(overridden(host, older));
    }
    problems.set(route.name, found);
  }
  return { shown, missing: new Set([...wanted].filter((host) => !shown.has(host))), problems };
}

const AT: FieldPath = ['spec', 'tls', 'secretRef'];

/** As condition `Accepted` says it: nothing is wrong with the Route itself, and it has a place. */
const isAccepted = ({ draft, places }: PlacedDraft): boolean =>
  places.kept.length > 0 && draft.problems.every(({ reason }) => isOfReferences(reason));

function readPair(secret: NamespacedName, objects: Objects, mode: ClusterMode): Checked<Pair> {
  const absent = (full: NamespacedName): string =>
    `there is no Secret ${full} of type ${TYPE}; create it, or have cert-manager issue it, or name another`;
  const found = findSecret(nameOf(secret), namespaceOf(secret), AT, { objects, mode, absent });
  if (!found.ok) return found;
  const { type, data } = found.value;
  if (type !== TYPE) {
    return invalid(problem('InvalidSecretType', AT, `Secret ${secret} is of type ${type}; name one of type ${TYPE}`));
  }
  const certificate = data.get('tls.crt')?.reveal();
  const key = data.get('tls.key');
  if (certificate === undefined || key === undefined) {
    const lacks = certificate === undefined ? 'tls.crt' : 'tls.key';
    return invalid(problem('CertificateInvalid', AT, `Secret ${secret} has no ${lacks}; it needs both, as PEM`));
  }
  const fault = mode.certificateFault(certificate, key);
  if (fault !== undefined) {
    return invalid(problem('CertificateInvalid', AT, `the certificate in Secret ${secret} ${fault}`));
  }
  return valid({ secret, certificate, key });
}

const TYPE = 'kubernetes.io/tls';

function overridden(host: HostPattern, older: HostCertificate): Problem {
  const message = `on ${host} browsers are shown the certificate of Secret ${older.secret}, which the older Route ${older.route} names; name that one here too, or none`;
  return problem('CertificateOverridden', AT, message);
}
