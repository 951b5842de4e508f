/**
 * How much is measured. Only `BENCH_QUIET_MINUTES` is there for figures that count; a run with another of these shows that the
 * bench works, says so in the names of its figures, and isn't written to bench/results/.
 */
export const SIZE = {
  /** Routes; a tenth as many Services, OidcPlugins and Secrets, and half as many endpoints. */
  routes: number('BENCH_ROUTES', 10_000),
  /** Applies of one Route. */
  applies: number('BENCH_APPLIES', 100),
  /** For which 100 changes a second go on, and for which nothing does before that. */
  seconds: number('BENCH_SECONDS', 60),
  /** For which the API server's costs are counted when all is written and nothing changes; each watch ends once in 4 to 8. */
  quietMinutes: number('BENCH_QUIET_MINUTES', 10),
};

export const SIZE_USAGE =
  'BENCH_QUIET_MINUTES (10) is how long the operator is left in quiet; BENCH_ROUTES (10000), BENCH_APPLIES (100) and ' +
  'BENCH_SECONDS (60) make a smaller run, whose figures are not kept.';

/** Whether the goals, which are for 10,000 Routes, are for this run. */
export const isWhole: boolean = ['BENCH_ROUTES', 'BENCH_APPLIES', 'BENCH_SECONDS'].every(
  (name) => process.env[name] === undefined,
);

function number(name: string, otherwise: number): number {
  const value = Number(process.env[name] ?? otherwise);
  if (!(value > 0)) throw new Error(`${name} must be a number above 0, not ${process.env[name]}`);
  return value;
}
