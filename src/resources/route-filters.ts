import { z } from 'zod';
import type { Cidr } from './address-policy.ts';
import { clientFields, clientListOf } from './client-list.ts';
import { type Cors, corsFields, corsOf } from './cors.ts';
import { type HeaderFilter, headerFilterFields, requestHeadersOf, responseHeadersOf } from './header-filters.ts';
import type { Problem } from './problem.ts';
import type { RouteSpec } from './route.ts';
import { type PathRewrite, pathRewriteOf, rewriteFields, type UpstreamHost, upstreamHostOf } from './route-rewrite.ts';

/** Fields of `Route.spec` that say what becomes of a request and its response, besides who may send it. */
export const filterFields = {
  ...clientFields,
  httpsRedirect: z.boolean().optional().meta({
    description: 'Requests over plain http are sent to https with 308, where browsers find this installation by https.',
  }),
  ...corsFields,
  ...rewriteFields,
  ...headerFilterFields,
};

/** Checked values of these fields. */
export interface RouteFilterFields {
  /** Undefined: from everywhere. */
  readonly clients: readonly Cidr[] | undefined;
  readonly httpsRedirect: boolean;
  readonly cors: Cors | undefined;
  readonly path: PathRewrite | undefined;
  /** Whether the Service is told what was taken off. */
  readonly strips: boolean;
  readonly host: UpstreamHost | undefined;
  readonly requestHeaders: HeaderFilter | undefined;
  readonly responseHeaders: HeaderFilter | undefined;
}

/** Undefined where the Route has none of them, as most have. */
export function routeFiltersOf(spec: RouteSpec, problems: Problem[]): RouteFilterFields | undefined {
  const filters: RouteFilterFields = {
    clients: clientListOf(spec, problems),
    httpsRedirect: spec.httpsRedirect ?? false,
    cors: corsOf(spec.cors, problems),
    path: pathRewriteOf(spec, problems),
    strips: spec.stripPath ?? false,
    host: upstreamHostOf(spec, problems),
    requestHeaders: requestHeadersOf(spec.requestHeaders, problems),
    responseHeaders: responseHeadersOf(spec.responseHeaders, spec.cors !== undefined, problems),
  };
  return Object.values(filters).every((value) => value === undefined || value === false) ? undefined : filters;
}
