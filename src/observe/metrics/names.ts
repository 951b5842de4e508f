/**
 * Which objects exist, for labels: a name that isn't known (its object is gone, or never was) gets no series of its own,
 * so that a request that ends after its Route doesn't bring the Route's series back.
 */
export interface KnownNames {
  /** Replaces what is known. */
  set(names: ReadonlySet<string>): void;
  /** Label value for `namespace/name`. */
  label(name: string | undefined): string;
  /** Whether a label value is one that `label` could give now. */
  current(label: string): boolean;
}

/** Label value where there is no object. No object is called so: names of objects hold a slash. */
export const NONE = 'none';

/**
 * Above `limit` names, label values are `namespace/*`. Goes back only well below it, so that a number around the limit
 * doesn't throw all series away again and again.
 */
export function knownNames(limit: number): KnownNames {
  /** The label of each; one text for all of a namespace, for a new one with each request would be hashed by every family anew. */
  let known: ReadonlyMap<string, string> = new Map();
  let labels: ReadonlySet<string> = new Set([NONE]);
  let byNamespace = false;
  return {
    set(names) {
      byNamespace = names.size > (byNamespace ? limit * 0.9 : limit);
      const texts = new Map([[NONE, NONE]]);
      const labelled = new Map<string, string>();
      for (const name of names) {
        const label = byNamespace ? namespaceLabel(name) : name;
        const text = texts.get(label) ?? label;
        texts.set(text, text);
        labelled.set(name, text);
      }
      known = labelled;
      labels = new Set(texts.keys());
    },
    label: (name) => (name === undefined ? NONE : (known.get(name) ?? NONE)),
    current: (label) => labels.has(label),
  };
}

const namespaceLabel = (name: string): string => `${name.slice(0, name.indexOf('/'))}/*`;
