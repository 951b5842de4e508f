import { z } from 'zod';
import { settled } from './plain.ts';
import { type Problem, problem } from './problem.ts';
import type { WebSocketRules } from './resource.ts';

export const websocketField = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .meta({ description: 'false: a request that asks for an upgrade, to whatever protocol, is answered 403.' }),
    allowedOrigins: z.array(z.string().min(1).max(260)).min(1).max(64).optional().meta({
      description:
        "Origins (https://app.example.com) whose pages may open a connection, besides the Route's own; '*' for all. Absent: its own only, and on a Public Route all.",
      'x-kubernetes-list-type': 'set',
    }),
  })
  .optional()
  .meta({ description: 'Connections that are switched to another protocol, such as WebSocket.' });

/** Undefined where nothing is said. */
export function websocketRules(
  written: z.output<typeof websocketField>,
  problems: Problem[],
): WebSocketRules | undefined {
  if (written === undefined) return undefined;
  const origins = written.allowedOrigins;
  for (const [at, origin] of (origins ?? []).entries()) {
    const message = originFault(origin);
    const field = ['spec', 'websocket', 'allowedOrigins', at];
    if (message !== undefined) problems.push(problem('Invalid', field, message));
    else if (origins?.indexOf(origin) !== at) problems.push(problem('Invalid', field, 'is there twice; leave one out'));
  }
  return { enabled: written.enabled, allowedOrigins: origins && settled(origins) };
}

/** Compared with what browsers send, so it has to be written as they do (RFC 6454 section 6.2). */
function originFault(text: string): string | undefined {
  if (text === '*') return undefined;
  const form = "must be an origin as browsers send it, such as https://app.example.com, or '*'";
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  if (url === null) return form;
  if (url.hostname.includes('*'))
    return "has a * among other characters, which stands for nothing; write each origin, or '*'";
  return url.origin === text ? undefined : `${form}; write "${url.origin}"`;
}
