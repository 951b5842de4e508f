export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A figure of a benchmark run: what was measured, against what, and the goal it is held to. */
export interface Figure {
  readonly figure: string;
  readonly against: string;
  readonly value: number;
  readonly unit: string;
  readonly goal: string;
  readonly met: boolean;
}

export function table(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'against', 'measured', 'goal', ''],
    ...figures.map((f) => [f.figure, f.against, `${f.value.toFixed(2)} ${f.unit}`, f.goal, f.met ? 'met' : 'MISSED']),
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
