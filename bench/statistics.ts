export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The value that so large a part of the values, which are sorted, doesn't exceed; `part` 0.99 for p99. */
export const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;

/** A figure of a benchmark run: what was measured, against what, and the goal it is held to, where it has one. */
export interface Figure {
  readonly figure: string;
  readonly against: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly met?: boolean;
}

/** A figure that is to be `most` or less. */
export const atMost = (figure: string, value: number, unit: string, most: number): Figure => ({
  figure,
  against: '',
  value,
  unit,
  goal: `≤ ${Number.isInteger(most) ? most : most.toFixed(2)} ${unit}`.trim(),
  met: value <= most,
});

/** A figure that is only told. */
export const told = (figure: string, value: number, unit: string): Figure => ({ figure, against: '', value, unit });

export function table(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'against', 'measured', 'goal', ''],
    ...figures.map((f) => [f.figure, f.against, `${f.value.toFixed(2)} ${f.unit}`, f.goal ?? '', outcome(f)]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const outcome = ({ met }: Figure): string => (met === undefined ? '' : met ? 'met' : 'MISSED');
