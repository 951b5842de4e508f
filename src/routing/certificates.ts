import type { HostPattern } from '../resources/hostname.ts';
import { type NamespacedName, nameOf, namespaceOf } from '../resources/keys.ts';
import { type FieldPath, type Problem, problem } from '../resources/problem.ts';
import { Redacted } from '../resources/redacted.ts';
import type { SecretResource } from '../resources/resource.ts';
import { Cells, type Tracker } from './cells.ts';
import { type Hosts, olderFirst } from './compile-hosts.ts';
import type { RouteDraft } from './compile-routes.ts';
import { isOfReferences } from './conditions.ts';
import { type Change, Derived } from './derived.ts';
import type { Found } from './indexed.ts';
import type { ClusterMode, CompileMode } from './options.ts';
import { findSecret, type Secrets } from './secrets.ts';
import type { HostCertificate } from './snapshot.ts';
import { sorted } from './sorted.ts';
import type { Steps } from './steps.ts';

/** A certificate that a Route names, and why browsers or OpenSSL won't have it. */
export interface Named {
  readonly pair: Pick<HostCertificate, 'secret' | 'certificate' | 'key'>;
  readonly problems: readonly Problem[];
}

/** What one host shows, and whose it is where that is sound. */
interface Shown {
  readonly certificate: HostCertificate;
  readonly sound: RouteDraft | undefined;
}

export interface CertificatesWorld {
  readonly tracker: Tracker;
  readonly secrets: Cells<NamespacedName, Found<SecretResource>>;
  readonly hosts: Hosts;
  readonly mode: CompileMode;
}

/**
 * What `spec.tls` of Routes came to; it decides nothing about exposure. Each certificate is for the hosts that its accepted
 * Route names, and for no other, whatever names it holds itself: a namespace that may name nothing of a host could else be
 * the one that browsers talk to. Two for one host: the older Route's, unless only the younger one's is sound.
 */
export class Certificates {
  readonly #world: CertificatesWorld;
  /** How many Routes name a Secret as their certificate. */
  readonly #named = new Map<NamespacedName, number>();
  readonly #faults = new Map<NamespacedName, string | undefined>();
  readonly #pairs: Derived<NamespacedName, Named>;
  readonly #read: Cells<NamespacedName, Named>;
  readonly #shown: Derived<HostPattern, Shown>;
  readonly #sound: Cells<HostPattern, RouteDraft>;

  constructor(world: CertificatesWorld) {
    const { tracker, secrets } = world;
    this.#world = world;
    this.#read = new Cells(tracker);
    this.#sound = new Cells(tracker);
    this.#pairs = new Derived({
      tracker,
      stride: STRIDE,
      make: (secret) =>
        this.#named.has(secret) && world.mode.kind === 'Cluster'
          ? namedPair(secret, secrets, world.mode, this.#faults.get(secret))
          : undefined,
    });
    this.#shown = new Derived({
      tracker,
      stride: STRIDE,
      same: sameShown,
      make: (host, before) => this.#choose(host, before),
    });
  }

  get pending(): boolean {
    return this.#pairs.pending || this.#shown.pending;
  }

  entries(): Iterable<readonly [HostPattern, Shown]> {
    return this.#shown.entries();
  }

  /** A Route is another one. What becomes of it on its hosts is news: then `mark` is called for it. */
  replace(before: RouteDraft | undefined, after: RouteDraft | undefined): void {
    if (this.#world.mode.kind === 'Files') return;
    this.#count(after, 1);
    this.#count(before, -1);
    this.mark(before);
  }

  /** What became of a Route on its hosts is another. */
  mark(draft: RouteDraft | undefined): void {
    if (draft?.route.tlsSecret === undefined || this.#world.mode.kind === 'Files') return;
    for (const host of draft.at.hosts) this.#shown.mark(host);
  }

  *run(): Steps<readonly Change<HostPattern, Shown>[]> {
    yield* this.#look();
    for (const { key, after } of yield* this.#pairs.run()) this.#read.set(key, after);
    const shown = yield* this.#shown.run();
    for (const { key, after } of shown) this.#sound.set(key, after?.sound);
    return shown;
  }

  /** For steps: what is wrong with the certificate that a Route names; undefined where it names none. */
  problems(draft: RouteDraft): readonly Problem[] | undefined {
    const { tlsSecret } = draft.route;
    if (tlsSecret === undefined || this.#world.mode.kind === 'Files') return undefined;
    const problems = [...(this.#read.get(tlsSecret)?.problems ?? [])];
    for (const host of this.#isAccepted(draft) ? draft.at.hosts : []) {
      const other = this.#sound.get(host);
      if (other?.route.tlsSecret === undefined || other.route.tlsSecret === tlsSecret) continue;
      if (olderFirst(other, draft) < 0) problems.push(overridden(host, other.route.name, other.route.tlsSecret));
    }
    return problems;
  }

  #count(draft: RouteDraft | undefined, by: 1 | -1): void {
    const secret = draft?.route.tlsSecret;
    if (secret === undefined) return;
    const count = (this.#named.get(secret) ?? 0) + by;
    if (count > 0) this.#named.set(secret, count);
    else this.#named.delete(secret);
    // One certificate may be that of 10,000 Routes.
    if (count === 0 || (count === 1 && by === 1)) this.#pairs.mark(secret);
  }

  /** Time alone can make a pair faulty, so that this is asked in every run. */
  *#look(): Steps<void> {
    const { mode, secrets } = this.#world;
    if (mode.kind === 'Files') return;
    let looked = 0;
    for (const secret of this.#named.keys()) {
      if (looked++ % STRIDE === 0) yield;
      const found = secrets.peek(secret);
      const pems = found?.kind === 'Valid' ? pemsOf(found.value) : undefined;
      const fault = pems && mode.certificateFault(pems.certificate, pems.key);
      if (fault === this.#faults.get(secret)) continue;
      this.#faults.set(secret, fault);
      this.#pairs.mark(secret);
    }
    for (const secret of this.#faults.keys()) if (!this.#named.has(secret)) this.#faults.delete(secret);
  }

  *#choose(host: HostPattern, before: Shown | undefined): Steps<Shown | undefined> {
    const { hosts } = this.#world;
    const named = hosts
      .draftsOn(host)
      .filter((draft) => draft.route.tlsSecret !== undefined && this.#isAccepted(draft));
    let shown: Shown | undefined;
    for (const draft of yield* sorted(named, olderFirst)) {
      const { tlsSecret, name } = draft.route;
      const read = tlsSecret === undefined ? undefined : this.#read.get(tlsSecret);
      if (read === undefined) continue;
      const sound = read.problems.length === 0 ? draft : undefined;
      if (sound !== undefined || shown === undefined)
        shown = { certificate: { host, route: name, ...read.pair }, sound };
      if (sound !== undefined) break;
    }
    if (shown === undefined || before === undefined) return shown;
    return {
      ...shown,
      certificate: sameCertificate(before.certificate, shown.certificate) ? before.certificate : shown.certificate,
    };
  }

  /** As condition `Accepted` says it: nothing is wrong with the Route itself, and it has a place. */
  #isAccepted(draft: RouteDraft): boolean {
    const { hosts } = this.#world;
    return (
      draft.problems.every(({ reason }) => isOfReferences(reason)) &&
      draft.at.hosts.some((host) => (hosts.get(host)?.shares.get(draft)?.places.kept.length ?? 0) > 0)
    );
  }
}

/** Secrets and hosts that are handled between two steps. */
const STRIDE = 32;

const sameShown = (a: Shown, b: Shown): boolean => a.sound === b.sound && a.certificate === b.certificate;

const sameCertificate = (a: HostCertificate, b: HostCertificate): boolean =>
  a.route === b.route && a.secret === b.secret && a.certificate === b.certificate && a.key === b.key;

const AT: FieldPath = ['spec', 'tls', 'secretRef'];

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

function overridden(host: HostPattern, route: NamespacedName, secret: NamespacedName): Problem {
  const message = `on ${host} browsers are shown the certificate of Secret ${secret}, which the older Route ${route} names; name that one here too, or none`;
  return problem('CertificateOverridden', AT, message);
}
