/**
 * Counters and histograms labelled by what users write. prom-client hashes every label of every observation and renders
 * a family in one go: with 10,000 Routes in use a scrape held the loop for seconds. Here an observation is a walk over
 * Maps to a number, the label text is made once per series, a scrape can pause anywhere (F52), the series of a deleted
 * object are dropped, and whatever happens the number of series is bounded (A165). Of each series nothing is held but its
 * labels and numbers: with 1,000 plugins the lines of all buckets would be 8 MB.
 */
export interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Most series of this family; what comes after shares one series, every label `other`. */
  readonly limit?: number;
}

export interface Family {
  /** Text of the Prometheus exposition format, in pieces of bounded size. */
  render(): Iterable<string>;
  /** Keeps the series whose label values pass. */
  retain(keep: (values: readonly string[]) => boolean): void;
}

export interface CounterFamily extends Family {
  /** `values` in the order of the label names. The series is there, at 0, from the first call on. */
  at(...values: readonly string[]): CounterSeries;
}
export interface CounterSeries {
  value: number;
}

export interface GaugeFamily extends Family {
  /** As of a counter. */
  at(...values: readonly string[]): CounterSeries;
}

export interface HistogramFamily extends Family {
  at(...values: readonly string[]): HistogramSeries;
}
export interface HistogramSeries {
  /** A value that isn't a finite number is dropped. */
  observe(value: number): void;
}

const LIMIT = 20_000;
/** Series in one piece of a rendering. */
const PIECE = 100;

export const counterFamily = (options: FamilyOptions): CounterFamily => numbers(options, 'counter');

/** `collect` is called before each rendering. */
export const gaugeFamily = (options: FamilyOptions, collect?: () => void): GaugeFamily =>
  numbers(options, 'gauge', collect);

function numbers(options: FamilyOptions, type: string, collect?: () => void): CounterFamily {
  const { name } = options;
  const series = seriesTree(options, (labels) => ({ value: 0, labels }));
  return {
    at: series.at,
    retain: series.retain,
    *render() {
      collect?.();
      yield header(options, type);
      yield* pieces(series.all(), ({ labels, value }, out) => {
        out.push(name, braces(labels), ' ', String(value), '\n');
      });
    },
  };
}

export function histogramFamily(options: FamilyOptions & { readonly buckets: readonly number[] }): HistogramFamily {
  const { name, buckets } = options;
  const edges = [...buckets.map(String), '+Inf'].map((le) => `le="${le}"} `);
  const series = seriesTree(options, (labels) => new Histogram(buckets, labels));
  return {
    at: series.at,
    retain: series.retain,
    *render() {
      yield header(options, 'histogram');
      yield* pieces(series.all(), (histogram, out) => histogram.write(name, edges, out));
    },
  };
}

class Histogram implements HistogramSeries {
  readonly #buckets: readonly number[];
  /** One more than there are buckets: the last is `+Inf`. */
  readonly #counts: number[];
  readonly #labels: string;
  #sum = 0;

  constructor(buckets: readonly number[], labels: string) {
    this.#buckets = buckets;
    this.#counts = new Array<number>(buckets.length + 1).fill(0);
    this.#labels = labels;
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    let bucket = 0;
    while (value > (this.#buckets[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** `edges`: what closes the labels of each bucket, `+Inf` included. */
  write(name: string, edges: readonly string[], out: string[]): void {
    const labels = this.#labels;
    const begin = `${name}_bucket{${labels}${labels === '' ? '' : ','}`;
    let total = 0;
    for (const [i, edge] of edges.entries()) {
      total += this.#counts[i] ?? 0;
      out.push(begin, edge, String(total), '\n');
    }
    out.push(name, '_sum', braces(labels), ' ', String(this.#sum), '\n');
    out.push(name, '_count', braces(labels), ' ', String(total), '\n');
  }
}

interface SeriesTree<T> {
  at(...values: readonly string[]): T;
  retain(keep: (values: readonly string[]) => boolean): void;
  all(): Iterable<T>;
}

type Node<T> = Map<string, Node<T> | Leaf<T>>;
interface Leaf<T> {
  readonly values: readonly string[];
  readonly series: T;
}

function seriesTree<T>(options: FamilyOptions, make: (labels: string) => T): SeriesTree<T> {
  const limit = options.limit ?? LIMIT;
  const depth = options.labels.length;
  let root: Node<T> = new Map();
  let leaves = new Set<Leaf<T>>();

  const insert = (leaf: Leaf<T>): T => {
    let node = root;
    for (const value of leaf.values.slice(0, -1)) {
      const child = node.get(value);
      if (child instanceof Map) node = child;
      else {
        const made: Node<T> = new Map();
        node.set(value, made);
        node = made;
      }
    }
    node.set(leaf.values[depth - 1] ?? '', leaf);
    leaves.add(leaf);
    return leaf.series;
  };

  const at = (...values: readonly string[]): T => {
    let found: Node<T> | Leaf<T> | undefined = root;
    for (const value of depth === 0 ? [''] : values) {
      if (!(found instanceof Map)) break;
      found = found.get(value);
    }
    if (found !== undefined && !(found instanceof Map)) return found.series;
    const full = leaves.size >= limit && values.some((value) => value !== 'other');
    if (full) return at(...values.map(() => 'other'));
    return insert({ values, series: make(labelText(options.labels, values)) });
  };

  return {
    at,
    retain(keep) {
      const kept = [...leaves].filter((leaf) => keep(leaf.values));
      if (kept.length === leaves.size) return;
      root = new Map();
      leaves = new Set();
      for (const leaf of kept) insert(leaf);
    },
    *all() {
      for (const leaf of leaves) yield leaf.series;
    },
  };
}

/** Each is flat, as what `join` gives: who puts them together would else spend 20 ms on that alone. */
function* pieces<T>(series: Iterable<T>, write: (one: T, out: string[]) => void): Iterable<string> {
  let piece: string[] = [];
  let count = 0;
  for (const one of series) {
    write(one, piece);
    count += 1;
    if (count % PIECE > 0) continue;
    yield piece.join('');
    piece = [];
  }
  if (piece.length > 0) yield piece.join('');
}

const header = ({ name, help }: FamilyOptions, type: string): string =>
  `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n# TYPE ${name} ${type}\n`;

const labelText = (names: readonly string[], values: readonly string[]): string =>
  names.map((name, i) => `${name}="${escapeLabel(values[i] ?? '')}"`).join();

const escapeLabel = (value: string): string => value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));

const braces = (labels: string): string => (labels === '' ? '' : `{${labels}}`);
