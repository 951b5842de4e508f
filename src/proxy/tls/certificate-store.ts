import { createHash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { canonicalHost, type Hostname, type HostPattern } from '../../resources/hostname.ts';
import type { NamespacedName } from '../../resources/keys.ts';
import type { HostCertificate } from '../../routing/snapshot.ts';
import { pairFault } from './certificate-fault.ts';
import { type CertificatePair, digestOf, type LoadedPair, loadPair } from './loaded-pair.ts';
import { Place, type ShownPair } from './place.ts';

/** What is shown to connections that name no host, or none with a certificate of its own (`--default-certificate`). */
export interface DefaultCertificate extends CertificatePair {
  readonly secret: NamespacedName;
}

/** A pair that OpenSSL refuses. */
export interface BrokenCertificate {
  readonly secret: NamespacedName;
  /** Undefined: it is the default. */
  readonly route: NamespacedName | undefined;
  /** Goes on a sentence whose subject is the certificate. */
  readonly fault: string;
  /** Whether an older one is shown in its place. */
  readonly kept: boolean;
}

export interface CertificateStoreOptions {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Called once for each content of a Secret. */
  onBroken(broken: BrokenCertificate): void;
}

/** How long certificates are looked at in one go, in milliseconds: thousands come at once, and requests want to pass between. */
const SLICE = 8;

/**
 * Certificates by host, chosen by SNI as hosts are matched: exact, then the longest wildcard, then `*`, then the default.
 * Replaced live at each publication; connections go on under what they were opened with, and what can't be read leaves in
 * place what was shown before (F50).
 */
export class CertificateStore {
  readonly #options: CertificateStoreOptions;
  #places: ReadonlyMap<string, Place> = new Map();
  #default: Place | undefined;
  #onDefault: (pair: CertificatePair) => void = () => {};
  #unchecked: Set<Place> = new Set();
  #checking = false;
  /** By digest: the hosts of one Secret share a context. */
  readonly #loaded = new Map<string, ShownPair>();
  /** Digests of broken pairs that were told of, by Secret. */
  readonly #told = new Map<NamespacedName, string>();
  #fingerprint: string | undefined;

  constructor(options: CertificateStoreOptions) {
    this.#options = options;
  }

  /**
   * After each publication. An entry with an empty certificate wants one that isn't there (its Secret was deleted): the
   * last good one stays; a host without an entry wants none. `fallback`: undefined leaves the last one.
   */
  update(certificates: ReadonlyMap<HostPattern, HostCertificate>, fallback?: DefaultCertificate): void {
    const places = new Map<string, Place>();
    for (const [host, wanted] of certificates) {
      places.set(host, this.#places.get(host)?.follow(wanted) ?? new Place(wanted));
    }
    this.#places = places;
    this.#fingerprint = undefined;
    if (fallback !== undefined) this.#follow(fallback);
    this.#unchecked = new Set([...places.values()].filter(({ checked }) => !checked));
    if (!this.#checking) this.#checkSoon();
  }

  /** `use` gets the default at once, where there is one, and each time it is replaced. */
  followDefault(use: (pair: CertificatePair) => void): void {
    this.#onDefault = use;
    const shown = this.#default?.shown;
    if (shown !== undefined) use(shown.pair);
  }

  /** What to show to whoever asks for this name (RFC 6066 section 3), in any spelling; undefined: the default. */
  contextFor(serverName: string): SecureContext | undefined {
    const host = canonicalHost(serverName);
    const place = host === undefined ? undefined : this.#find(host);
    if (place === undefined) return undefined;
    if (place.shown === undefined) this.#read(place);
    return place.shown?.context;
  }

  /**
   * Whether both are shown a certificate of the same Secret (A035). `serverName`: undefined for a connection that named
   * none, and was shown the default.
   */
  sharesCertificate(serverName: Hostname | undefined, host: Hostname): boolean {
    const shown = serverName === undefined ? undefined : this.#find(serverName);
    return shown?.wanted.secret === this.#find(host)?.wanted.secret;
  }

  /** Names all certificates that are wanted, and for which hosts, by content; the same wherever they are the same. */
  get fingerprint(): string {
    this.#fingerprint ??= this.#digestAll();
    return this.#fingerprint;
  }

  #digestAll(): string {
    const lines = Array.from(this.#places, ([host, { digest }]) => `${host} ${digest}`).sort();
    const hash = createHash('sha256').update(this.#default?.digest ?? '');
    for (const line of lines) hash.update('\n').update(line);
    return hash.digest('base64');
  }

  #find(host: Hostname): Place | undefined {
    const exact = this.#places.get(host);
    if (exact !== undefined) return exact;
    for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
      const wildcard = this.#places.get(`*${host.slice(dot)}`);
      if (wildcard !== undefined) return wildcard;
    }
    return this.#places.get('*');
  }

  #follow(fallback: DefaultCertificate): void {
    const { certificate, key, secret } = fallback;
    const wanted = { certificate, key, secret, route: undefined };
    const place = this.#default?.follow(wanted) ?? new Place(wanted);
    this.#default = place;
    const before = place.shown;
    this.#read(place);
    // What stands in for it is what is shown already.
    if (place.shown !== undefined && place.shown !== before) this.#onDefault(place.shown.pair);
  }

  #checkSoon(): void {
    this.#checking = true;
    setImmediate(() => this.#checkSlice());
  }

  #checkSlice(): void {
    const until = this.#options.now() + SLICE;
    for (const place of this.#unchecked) {
      this.#unchecked.delete(place);
      this.#check(place);
      if (this.#options.now() > until) {
        this.#checkSoon();
        return;
      }
    }
    this.#checking = false;
    this.#forget();
  }

  /** A sound one that nobody has asked for yet costs no context: it is read at its first handshake. */
  #check(place: Place): void {
    place.checked = true;
    const { wanted, shown } = place;
    if (shown !== undefined || wanted.certificate === '' || pairFault(wanted) !== undefined) this.#read(place);
  }

  #read(place: Place): void {
    if (!place.unread) return;
    const fault = place.read((pair) => this.#load(pair));
    const { secret, route } = place.wanted;
    if (fault === undefined) this.#told.delete(secret);
    else this.#tell({ secret, route, fault, kept: place.shown !== undefined }, digestOf(place.wanted));
  }

  #load(pair: CertificatePair): LoadedPair {
    const digest = digestOf(pair);
    const known = this.#loaded.get(digest);
    if (known !== undefined) return known;
    const loaded = loadPair(pair, digest);
    if (loaded.ok) this.#loaded.set(digest, loaded);
    return loaded;
  }

  #tell(broken: BrokenCertificate, digest: string): void {
    if (this.#told.get(broken.secret) === digest) return;
    this.#told.set(broken.secret, digest);
    try {
      this.#options.onBroken(broken);
    } catch {
      // Whoever is told can't keep a handshake from going on (T27).
    }
  }

  /** Contexts that no place shows are let go; those of open connections are theirs. */
  #forget(): void {
    const used = new Set([...this.#places.values(), this.#default].map((place) => place?.shown?.digest));
    for (const digest of this.#loaded.keys()) {
      if (!used.has(digest)) this.#loaded.delete(digest);
    }
    const named = new Set([...this.#places.values(), this.#default].map((place) => place?.wanted.secret));
    for (const secret of this.#told.keys()) {
      if (!named.has(secret)) this.#told.delete(secret);
    }
  }
}
