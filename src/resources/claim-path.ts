/** Way into the claims of an identity, outermost first: `realm_access.roles` is `['realm_access', 'roles']`. */
export type ClaimPath = readonly [string, ...string[]];

const MAX_DEPTH = 8;
/** A name in double quotes, in which `\"` and `\\` are escapes, or one without dots, quotes, blanks and slashes. */
const PART = /"((?:[^"\\]|\\["\\])+)"|([^."\s/\\]+)/y;

/**
 * Dots lead into nested objects; a name that itself holds dots or slashes stands in double quotes:
 * `"https://example.com/roles"`. Undefined where the text can't be read so.
 */
export function parseClaimPath(text: string): ClaimPath | undefined {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    PART.lastIndex = at;
    const match = PART.exec(text);
    if (match === null || parts.length === MAX_DEPTH) return undefined;
    parts.push(match[2] ?? (match[1] ?? '').replace(/\\(.)/g, '$1'));
    at = PART.lastIndex;
    if (at === text.length) break;
    if (text[at] !== '.') return undefined;
    at++;
  }
  const [first, ...rest] = parts;
  return first === undefined ? undefined : [first, ...rest];
}

export const CLAIM_PATH_HINT =
  'must be names joined by dots, as in realm_access.roles; a name with dots or slashes of its own stands in double quotes, as in "https://example.com/roles"';
