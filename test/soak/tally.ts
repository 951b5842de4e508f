/** What became of something that went as it should: `200`, `aborted`, `503 while broken`. */
export type Outcome = string;

export interface Unexpected {
  readonly what: string;
  readonly count: number;
  /** The first few, with their time. */
  readonly examples: readonly string[];
}

const EXAMPLES = 3;
/** Kinds of failures; more of them are counted together. */
const MOST_KINDS = 60;

/** Counts by kind and outcome, and everything that should not have been. */
export class Tally {
  readonly #outcomes = new Map<string, Map<Outcome, number>>();
  readonly #durations = new Map<string, number[]>();
  readonly #unexpected = new Map<string, { count: number; readonly examples: string[] }>();

  /** Runs it, and counts its outcome, or that it threw. */
  async measure(kind: string, run: () => Promise<Outcome>): Promise<void> {
    const start = performance.now();
    try {
      this.count(kind, await run());
      this.#took(kind, performance.now() - start);
    } catch (error) {
      this.count(kind, 'UNEXPECTED');
      this.unexpected(`${kind}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  count(kind: string, outcome: Outcome): void {
    const ofKind = this.#outcomes.get(kind) ?? new Map<Outcome, number>();
    this.#outcomes.set(kind, ofKind);
    ofKind.set(outcome, (ofKind.get(outcome) ?? 0) + 1);
  }

  /** Messages that differ only in numbers are of one kind. */
  unexpected(message: string): void {
    const what = message.replace(/[0-9]+/g, 'N').slice(0, 200);
    const key = this.#unexpected.has(what) || this.#unexpected.size < MOST_KINDS ? what : 'others';
    const kind = this.#unexpected.get(key) ?? { count: 0, examples: [] };
    this.#unexpected.set(key, kind);
    kind.count += 1;
    if (kind.examples.length < EXAMPLES) kind.examples.push(`${new Date().toISOString()} ${message.slice(0, 600)}`);
  }

  get failures(): readonly Unexpected[] {
    return [...this.#unexpected].map(([what, { count, examples }]) => ({ what, count, examples }));
  }

  /** A line for each kind: how often each outcome, and milliseconds that half and 99 % took at most. */
  lines(): readonly string[] {
    return [...this.#outcomes].sort().map(([kind, outcomes]) => {
      const counts = [...outcomes].sort((a, b) => b[1] - a[1]).map(([outcome, count]) => `${outcome} ${count}`);
      return `${kind.padEnd(20)} ${counts.join(', ')}${this.#quantiles(kind)}`;
    });
  }

  /** Buckets of 2^(1/4): a quantile is at most 19 % too high. */
  #took(kind: string, milliseconds: number): void {
    const buckets = this.#durations.get(kind) ?? [];
    this.#durations.set(kind, buckets);
    const at = Math.max(0, Math.ceil(4 * Math.log2(milliseconds * 16)));
    buckets[at] = (buckets[at] ?? 0) + 1;
  }

  #quantiles(kind: string): string {
    const buckets = this.#durations.get(kind);
    if (buckets === undefined) return '';
    const all = buckets.reduce((sum, count) => sum + count, 0);
    const quantile = (share: number): string => {
      let seen = 0;
      const at = buckets.findIndex((count = 0) => {
        seen += count;
        return seen >= all * share;
      });
      return (2 ** (at / 4) / 16).toPrecision(3);
    };
    return ` (p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms)`;
  }
}
