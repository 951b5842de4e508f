import { lowerAscii } from './hostname.ts';
import { foldHeaderName, identityHeaders } from './identity-headers.ts';
import { type Problem, problem } from './problem.ts';
import type { HeaderMatch } from './resource.ts';

const IDENTITY = identityHeaders([]);

/** Taken by the connection, by the host, by sessions, or written anew by us: none of them says what a client chose. */
export const UNMATCHABLE_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'cookie',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-connection',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'forwarded',
  'x-real-ip',
  'x-original-url',
  'x-rewrite-url',
]);

/** RFC 9110 section 5.5, visible ASCII and inner blanks: a value that a request can really have. */
const VALUE = /^([!-~]([ \t!-~]*[!-~])?)?$/;

/** Header matches of a Route, names in lower case. */
export function headerMatches(headers: readonly HeaderMatch[], problems: Problem[]): readonly HeaderMatch[] {
  const matches: HeaderMatch[] = [];
  for (const [at, header] of headers.entries()) {
    const name = lowerAscii(header.name);
    const message = nameFault(name, matches);
    if (message !== undefined) problems.push(problem('Invalid', ['spec', 'headers', at, 'name'], message));
    if (!VALUE.test(header.value)) {
      const advice = 'must be visible ASCII characters, with blanks only between them';
      problems.push(problem('Invalid', ['spec', 'headers', at, 'value'], advice));
    }
    matches.push({ name, value: header.value });
  }
  return matches;
}

function nameFault(name: string, before: readonly HeaderMatch[]): string | undefined {
  // Proxies in front and servers behind take `_` and `.` for `-` (A040), so such a name isn't one of its own.
  if (/[_.]/.test(name)) return 'has _ or ., which other servers take for -; write -';
  const folded = foldHeaderName(name);
  if (IDENTITY.has(name)) return 'is an identity header, which is removed from every request; match another one';
  if (UNMATCHABLE_HEADERS.has(folded) || folded.startsWith('x-forwarded-'))
    return 'can’t be matched, for Postern reads or writes it itself; match another one';
  return before.some((match) => match.name === name) ? 'is there twice; leave one out' : undefined;
}
