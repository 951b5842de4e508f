/** Letters of each end that are looked at: names of one zone differ at the beginning, and no name is long to look at. */
const ENDS = 16;

/** Which of `groups`, a power of two, a text falls into: FNV-1a, evenly and in every process alike. */
export function spread(text: string, groups: number): number {
  const { length } = text;
  let hash = 0x81_1c_9d_c5 ^ length;
  for (let at = 0; at < length; at++) {
    if (at === ENDS && length > 2 * ENDS) at = length - ENDS;
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01_00_01_93);
  }
  return (hash ^ (hash >>> 15)) & (groups - 1);
}
