export interface Point {
  /** Milliseconds of any clock. */
  readonly at: number;
  readonly value: number;
}

/** Growth per hour by least squares; undefined where there are too few points for one. */
export function slopePerHour(points: readonly Point[]): number | undefined {
  if (points.length < 3) return undefined;
  const meanAt = points.reduce((sum, { at }) => sum + at, 0) / points.length;
  const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length;
  let along = 0;
  let spread = 0;
  for (const { at, value } of points) {
    along += (at - meanAt) * (value - mean);
    spread += (at - meanAt) ** 2;
  }
  return spread === 0 ? undefined : (along / spread) * 3_600_000;
}

/** The points of the second half of the time: the first one is spent on getting warm. */
export function secondHalf(points: readonly Point[]): readonly Point[] {
  const first = points[0]?.at ?? 0;
  const middle = first + ((points.at(-1)?.at ?? first) - first) / 2;
  return points.filter(({ at }) => at >= middle);
}
