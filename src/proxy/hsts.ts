const NAME = 'Strict-Transport-Security';
const LOWER = NAME.toLowerCase();

/**
 * Adds the policy of this gateway (`--hsts`, RFC 6797) to the headers of an answer, names and values in turn. One that the
 * upstream sends is taken out: of two such lines browsers read the first, and whoever runs the gateway has spoken for all.
 */
export function addHsts(lines: string[], value: string): void {
  for (let i = lines.length - 2; i >= 0; i -= 2) {
    const name = lines[i] ?? '';
    if (name.length === NAME.length && name.toLowerCase() === LOWER) lines.splice(i, 2);
  }
  lines.push(NAME, value);
}
