import { z } from 'zod';
import { parseHostPattern } from './hostname.ts';
import type { RoutePath } from './path.ts';
import { type Problem, problem } from './problem.ts';
import { checkRoutePath, isReserved, RESERVED } from './route-path.ts';

/** What of the address a request has at the Service. As Gateway API's URLRewrite, and Kong's strip_path and preserve_host. */
export const rewriteFields = {
  stripPath: z.boolean().optional().meta({
    description:
      'The Service does not see the Prefix that matched: /orders/7 of a Route for /orders is asked for as /7. Every path of the Route is then a Prefix.',
  }),
  rewrite: z
    .strictObject({
      path: z
        .string()
        .min(1)
        .max(1024)
        .optional()
        .meta({ description: 'The whole path, whatever was asked for (ReplaceFullPath); the query stays.' }),
      prefix: z.string().min(1).max(1024).optional().meta({
        description:
          'Stands for the Prefix that matched (ReplacePrefixMatch). Every path of the Route is then a Prefix.',
      }),
      host: z
        .string()
        .min(1)
        .max(253)
        .optional()
        .meta({ description: 'What the Service is asked for in Host: a DNS name, without port.' }),
    })
    .optional()
    .meta({ description: 'Another address at the Service than the one that was asked for.' }),
  preserveHost: z.boolean().optional().meta({
    description:
      'true: the Service sees the host that was asked for; false: its own. Absent: its own with url, the one that was asked for with backendRef. X-Forwarded-Host always has the one that was asked for.',
  }),
};

interface RewriteSpec {
  readonly stripPath?: boolean | undefined;
  readonly rewrite?:
    | { readonly path?: string | undefined; readonly prefix?: string | undefined; readonly host?: string | undefined }
    | undefined;
  readonly preserveHost?: boolean | undefined;
  readonly paths: readonly { readonly type: string }[];
}

/** `Full`: the whole path. `Prefix`: in the place of what matched, without a final slash; `` for /. */
export type PathRewrite =
  | { readonly kind: 'Full'; readonly path: RoutePath }
  | { readonly kind: 'Prefix'; readonly prefix: string };

/** `Host` of the request to the Service: the client's, the backend's own, or a name. */
export type UpstreamHost = { readonly kind: 'Client' | 'Backend' } | { readonly kind: 'Name'; readonly name: string };

export function pathRewriteOf(spec: RewriteSpec, problems: Problem[]): PathRewrite | undefined {
  const { path, prefix, host } = spec.rewrite ?? {};
  if (spec.rewrite !== undefined && path === undefined && prefix === undefined && host === undefined)
    problems.push(problem('Invalid', ['spec', 'rewrite'], 'says nothing; write path, prefix or host, or leave it out'));
  if (path !== undefined && prefix !== undefined)
    problems.push(problem('Invalid', ['spec', 'rewrite'], 'has both path and prefix; keep one'));
  if (spec.stripPath === true && (path !== undefined || prefix !== undefined))
    problems.push(problem('Invalid', ['spec', 'stripPath'], STRIPS_ALREADY));
  if (path !== undefined) {
    const checked = checkedPath('Exact', path, 'path', problems);
    return checked === undefined ? undefined : { kind: 'Full', path: checked };
  }
  const other = spec.paths.findIndex(({ type }) => type !== 'Prefix');
  if ((spec.stripPath === true || prefix !== undefined) && other >= 0)
    problems.push(problem('Invalid', ['spec', 'paths', other, 'type'], NEEDS_PREFIXES));
  if (prefix !== undefined) {
    const checked = checkedPath('Prefix', prefix, 'prefix', problems);
    return checked === undefined ? undefined : { kind: 'Prefix', prefix: checked === '/' ? '' : checked };
  }
  return spec.stripPath === true ? { kind: 'Prefix', prefix: '' } : undefined;
}

export const STRIPS_ALREADY = 'and rewrite of the path exclude each other; stripPath is rewrite.prefix /, so keep one';
export const NEEDS_PREFIXES =
  'must be Prefix where stripPath or rewrite.prefix takes the prefix off; write rewrite.path, or a Route of its own for this path';
export const REWRITES_TO_RESERVED = `must not lie below ${RESERVED}, which is Postern’s own; write another path`;

function checkedPath(
  type: 'Exact' | 'Prefix',
  value: string,
  field: string,
  problems: Problem[],
): RoutePath | undefined {
  const checked = checkRoutePath(type, value);
  const at = ['spec', 'rewrite', field];
  if (!checked.ok) {
    problems.push(problem(checked.reason, at, checked.message));
    return undefined;
  }
  if (isReserved(checked.match.value)) problems.push(problem('ReservedPath', at, REWRITES_TO_RESERVED));
  return checked.match.value;
}

export function upstreamHostOf(spec: RewriteSpec, problems: Problem[]): UpstreamHost | undefined {
  const host = spec.rewrite?.host;
  if (host === undefined) {
    if (spec.preserveHost === undefined) return undefined;
    return { kind: spec.preserveHost ? 'Client' : 'Backend' };
  }
  if (spec.preserveHost !== undefined) problems.push(problem('Invalid', ['spec', 'preserveHost'], PRESERVES_ANOTHER));
  if (host.startsWith('*') || parseHostPattern(host) === undefined)
    problems.push(problem('Invalid', ['spec', 'rewrite', 'host'], HOST_HINT));
  return { kind: 'Name', name: host };
}

export const PRESERVES_ANOTHER = 'and rewrite.host exclude each other; keep one';
export const HOST_HINT = 'must be a DNS name in lower case, without port, path and final dot';
