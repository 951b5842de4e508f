import { authorize } from '../authorization/authorize.ts';
import type { Lease } from '../control/lease.ts';
import { landing } from '../routing/landing.ts';
import { rewritePath } from '../routing/rewrite.ts';
import type { RouteMatch } from '../routing/table.ts';
import type { RequestTarget } from '../routing/target.ts';
import * as notices from './pages/notices.ts';
import { type Reply, reply } from './reply.ts';
import type { Passage } from './world.ts';

/**
 * The target that goes to the Service, or why none does (A005): the rewritten path has to be one that could have been asked
 * for, and where another Route guards the same backend at that path, what it asks for has to hold as well.
 */
export function rewriteTarget(
  lease: Lease,
  matched: RouteMatch,
  { identity, cookies }: Passage,
  target: RequestTarget,
): RequestTarget | Reply {
  const { entry } = matched;
  const rewrite = entry.filters?.path;
  if (rewrite === undefined) return target;
  const path = rewritePath(rewrite, entry.path, target.path);
  if (path === undefined) {
    return reply(400, 'bad_request', 'rewritten_path', notices.badRequest(), { close: true, cookies });
  }
  const there = landing(lease.snapshot.table, matched, target.host, path);
  const again = { method: target.method, path };
  const passes =
    there.kind === 'Free' ||
    (there.kind === 'Rules' &&
      identity !== undefined &&
      there.policies.every((policy) => authorize(policy, identity, again).kind === 'Allowed'));
  return passes
    ? { ...target, path }
    : reply(403, 'refused', 'rewritten_path', notices.guardedElsewhere(), { cookies });
}
