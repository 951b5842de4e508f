/**
 * Methods that a Route can name: those that HTTP parsers know (IANA registry, RFC 9110 section 9). CONNECT, TRACE and
 * TRACK aren't among them, for they are never forwarded (A015).
 */
export const ROUTE_METHODS: ReadonlySet<string> = new Set(
  (
    'GET HEAD POST PUT PATCH DELETE OPTIONS QUERY ACL BIND CHECKOUT COPY LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL ' +
    'MOVE NOTIFY PROPFIND PROPPATCH PURGE REBIND REPORT SEARCH SOURCE SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE'
  ).split(' '),
);
export const NEVER_FORWARDED: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** HEAD is answered as GET wherever methods are compared, so that neither is a way round the other (A021). */
export const comparedMethod = (method: string): string => (method === 'HEAD' ? 'GET' : method);

/** What is wrong with each member of a list of methods, by its index. */
export function methodFaults(methods: readonly string[]): readonly { readonly at: number; readonly message: string }[] {
  const faults: { readonly at: number; readonly message: string }[] = [];
  for (const [at, method] of methods.entries()) {
    if (NEVER_FORWARDED.has(method)) faults.push({ at, message: `${method} is never forwarded; leave it out` });
    else if (!ROUTE_METHODS.has(method))
      faults.push({ at, message: 'is no known method; write GET, POST, PUT or the like' });
    else if (methods.indexOf(method) !== at) faults.push({ at, message: `${method} is there twice; leave one out` });
    else if (method === 'HEAD' && !methods.includes('GET'))
      faults.push({ at, message: 'HEAD is handled as GET; write GET' });
  }
  return faults;
}
