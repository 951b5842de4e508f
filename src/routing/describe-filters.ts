import type { RouteFilters } from './filters.ts';

/** What becomes of a request besides deciding, for people. Values of headers aren't shown: they may be somebody's secret. */
export interface FilterDescription {
  readonly clients?: readonly string[];
  readonly httpsRedirect?: true;
  readonly origins?: readonly string[];
  /** What is put in the place of the path, or of the Prefix that matched. */
  readonly path?: string;
  readonly prefix?: string;
  readonly host?: string;
  readonly requestHeaders?: readonly string[];
  readonly responseHeaders?: readonly string[];
}

export function describeFilters(filters: RouteFilters): FilterDescription {
  const { clients, httpsRedirect, cors, path, host, requestHeaders, responseHeaders } = filters;
  return {
    ...(clients && { clients: clients.map(({ text }) => text) }),
    ...(httpsRedirect ? { httpsRedirect } : {}),
    ...(cors && {
      origins: cors.any ? ['*'] : [...cors.exact.keys(), ...cors.suffixes.map((suffix) => `https://*${suffix}`)],
    }),
    ...(path?.kind === 'Full' ? { path: path.path } : {}),
    ...(path?.kind === 'Prefix' ? { prefix: path.prefix === '' ? '/' : path.prefix } : {}),
    ...(host === undefined ? {} : { host }),
    ...(requestHeaders && {
      requestHeaders: changes(
        requestHeaders.drop,
        requestHeaders.lines.split('\r\n').map((line) => line.slice(0, Math.max(0, line.indexOf(':')))),
      ),
    }),
    ...(responseHeaders && {
      responseHeaders: changes(
        responseHeaders.drop,
        responseHeaders.lines.filter((_, at) => at % 2 === 0),
      ),
    }),
  };
}

const changes = (drop: ReadonlyMap<string, true>, written: readonly string[]): readonly string[] => [
  ...[...drop.keys()].map((name) => `without ${name}`),
  ...written.filter((name) => name !== '').map((name) => `with ${name}`),
];
