import type { NamespacedName } from '../../resources/keys.ts';
import { namespaceOf } from '../../resources/keys.ts';
import { type CertificatePair, digestOf, type LoadedPair } from './loaded-pair.ts';

/** A pair and whose it is. `route`: undefined where it is the default. */
export interface NamedPair extends CertificatePair {
  readonly secret: NamespacedName;
  readonly route: NamespacedName | undefined;
}

export type ShownPair = Extract<LoadedPair, { readonly ok: true }>;

/** Where one host's certificate is shown: the one that is wanted, or, while that can't be read, the last good one. */
export class Place {
  readonly wanted: NamedPair;
  /** Undefined: nothing that could be read was ever wanted here. */
  shown: ShownPair | undefined;
  unread = true;
  /** Whether it was looked at in the background. */
  checked = false;
  /** What was wanted before and never read, for there was no time. */
  #earlier: NamedPair | undefined;
  #digest: string | undefined;

  constructor(wanted: NamedPair) {
    this.wanted = wanted;
  }

  /** The place after a publication: itself where nothing changed. */
  follow(wanted: NamedPair): Place {
    if (samePair(this.wanted, wanted)) return this;
    const next = new Place(wanted);
    if (!mayStandIn(this.wanted, wanted)) return next;
    next.shown = this.shown;
    next.#earlier = this.unread ? this.wanted : this.#earlier;
    return next;
  }

  /** Of what is wanted. */
  get digest(): string {
    this.#digest ??= digestOf(this.wanted);
    return this.#digest;
  }

  /** Reads what is wanted; gives what is wrong with it. */
  read(load: (pair: CertificatePair) => LoadedPair): string | undefined {
    if (!this.unread) return undefined;
    this.unread = false;
    const loaded = this.wanted.certificate === '' ? undefined : load(this.wanted);
    const earlier = this.#earlier;
    this.#earlier = undefined;
    if (loaded?.ok === true) {
      this.shown = loaded;
      return undefined;
    }
    if (earlier !== undefined && earlier.certificate !== '') {
      const stands = load(earlier);
      if (stands.ok) this.shown = stands;
    }
    return loaded?.fault;
  }
}

const samePair = (a: NamedPair, b: NamedPair): boolean =>
  a.secret === b.secret &&
  a.route === b.route &&
  a.certificate === b.certificate &&
  (a.key === b.key || a.key.reveal() === b.key.reveal());

/**
 * Whose certificate is shown on while the new one is broken or not there: the same Secret's, and that of another Secret
 * of the namespace that the same Route named before. Nobody else's: a host can change hands, and a grant can be taken back.
 */
const mayStandIn = (before: NamedPair, wanted: NamedPair): boolean =>
  before.secret === wanted.secret ||
  (before.route === wanted.route && namespaceOf(before.secret) === namespaceOf(wanted.secret));
