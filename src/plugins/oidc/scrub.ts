/** As much of one value as a log line ever shows. */
export const MAX_SHOWN = 64;

/** Shorter ones would blank out ordinary words, and protect nothing. */
const MIN_SECRET = 4;

/**
 * A text without what was sent to a provider, which may repeat it in its error, its description or a header of its
 * token (A180). To be called before a text is cut, for half a secret isn't found any more.
 */
export function scrub(text: string, sent: readonly string[]): string {
  let out = text;
  for (const value of sent) {
    if (value.length < MIN_SECRET) continue;
    for (const form of new Set([value, value.slice(0, MAX_SHOWN), encodeURIComponent(value)]))
      out = out.replaceAll(form, '…');
  }
  return out;
}
