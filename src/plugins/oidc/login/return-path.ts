import { canonicalPath } from '../../../resources/path.ts';

declare const checked: unique symbol;

/**
 * Where a browser goes back to after a login: an absolute path with its query, of the very host that sent it away.
 * Printable ASCII only, so it fits a header. Only the two functions of this file make one.
 */
export type ReturnPath = string & { readonly [checked]: 'ReturnPath' };

/** A longer one loses its query; providers take a `state` of three times this. */
export const MAX_RETURN_PATH = 4096;

const QUERY = /^\?[!-"$-~]*$/;
const ROOT = '/' as ReturnPath;

/**
 * Refuses whatever a browser could read as another origin (A090) or that doesn't fit a header (A091): the path has to be
 * its own canonical form (no `//`, `/\`, dot segment, control character or escape of one), and the whole is read again
 * by the rules that browsers follow (WHATWG URL) and has to stay on `origin`.
 */
export function checkReturnPath(text: string, origin: string): ReturnPath | undefined {
  if (text.length > MAX_RETURN_PATH) return undefined;
  const mark = text.indexOf('?');
  const path = mark === -1 ? text : text.slice(0, mark);
  if (mark !== -1 && !QUERY.test(text.slice(mark))) return undefined;
  const canonical = canonicalPath(path);
  if (!canonical.ok || canonical.path !== path) return undefined;
  const url = URL.parse(text, origin);
  return url !== null && url.origin === origin && url.username === '' && url.password === '' && url.hash === ''
    ? (text as ReturnPath)
    : undefined;
}

/** The return path of a request: whole, or without its query, or `/` (A091). `query` with its `?`, or ``. */
export function returnPathOf(path: string, query: string, origin: string): ReturnPath {
  return checkReturnPath(path + query, origin) ?? checkReturnPath(path, origin) ?? ROOT;
}
