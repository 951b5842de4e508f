/** Older objects first, then by key or name; what has no time (files) is as old as anything (GEP-713). */
export function byAge(a: string | undefined, first: string, b: string | undefined, second: string): number {
  const [older, younger] = [a ?? '', b ?? ''];
  if (older !== younger) return older < younger ? -1 : 1;
  return first < second ? -1 : first === second ? 0 : 1;
}
