import { authorize } from '../authorization/authorize.ts';
import type { Lease } from '../control/lease.ts';
import { originOf } from '../resources/external.ts';
import type { Decision, DecisionContext } from '../routing/decision.ts';
import type { RouteEntry } from '../routing/snapshot.ts';
import type { ReservedMatch } from '../routing/table.ts';
import type { RequestTarget } from '../routing/target.ts';
import type { HeaderClassifier } from './header-class.ts';
import { NO_PLUGIN_HEADERS, pluginHeaders } from './headers.ts';
import * as notices from './pages/notices.ts';
import type { RequestRecord } from './record.ts';
import { type Reply, reply } from './reply.ts';
import type { HeadView } from './request-view.ts';
import type { Journey, Passage } from './world.ts';

export const NO_PASSAGE: Passage = {
  identity: undefined,
  headers: NO_PLUGIN_HEADERS,
  cookies: [],
  until: undefined,
};

/**
 * Each plugin in its order; the first that answers itself ends it. A promise only where a plugin gives one: a request with
 * a known session is decided in one go.
 */
export function decide(
  journey: Journey,
  lease: Lease,
  entry: RouteEntry,
  view: HeadView,
): Passage | Reply | Promise<Passage | Reply> {
  return decideFrom(0, NO_PASSAGE, { journey, lease, entry, view });
}

interface Deciding {
  readonly journey: Journey;
  readonly lease: Lease;
  readonly entry: RouteEntry;
  readonly view: HeadView;
}

function decideFrom(index: number, before: Passage, all: Deciding): Passage | Reply | Promise<Passage | Reply> {
  const { journey, lease, entry, view } = all;
  const key = entry.plugins[index];
  if (key === undefined) return before;
  journey.record.plugin = key;
  const instance = lease.plugin(key);
  const keeps = lease.snapshot.plugins.get(key)?.needs;
  if (instance === undefined || keeps === undefined)
    throw new Error(`plugin ${key} of Route ${entry.route} isn't there`);
  const goOn = (decision: Decision): Passage | Reply | Promise<Passage | Reply> =>
    decision.kind === 'respond'
      ? ofPlugin(decision, before.cookies, loginOutcome(decision.status))
      : decideFrom(index + 1, joined(before, decision, journey.world.classify), all);
  const decision = instance.decide(view, contextOf(journey, view, entry.needs, keeps));
  return decision instanceof Promise ? decision.then(goOn) : goOn(decision);
}

function joined(
  before: Passage,
  { identity, headers, cookies, until }: Extract<Decision, { kind: 'continue' }>,
  classify: HeaderClassifier,
): Passage {
  const own = pluginHeaders(headers, classify);
  if (before === NO_PASSAGE) return { identity, headers: own, cookies, until };
  return {
    identity: before.identity ?? identity,
    headers: { text: before.headers.text + own.text, authorizes: before.headers.authorizes || own.authorizes },
    cookies: [...before.cookies, ...cookies],
    until: before.until === undefined || (until !== undefined && until < before.until) ? until : before.until,
  };
}

/** A path that a plugin answers itself: a callback, a logout. */
export async function answerReserved(
  journey: Journey,
  lease: Lease,
  { plugin, purpose }: ReservedMatch,
  view: HeadView,
): Promise<Reply> {
  journey.record.plugin = plugin;
  const instance = lease.plugin(plugin);
  const needs = lease.snapshot.plugins.get(plugin)?.needs;
  if (instance === undefined || needs === undefined) throw new Error(`plugin ${plugin} isn't there`);
  const pending = instance.answer(view, contextOf(journey, view, needs, needs));
  const decision = pending instanceof Promise ? await pending : pending;
  if (decision.kind === 'continue') throw new Error(`plugin ${plugin} let a request to its own ${purpose} path go on`);
  return ofPlugin(decision, [], 'plugin');
}

function contextOf(
  { world, record }: Journey,
  view: HeadView,
  needs: DecisionContext['needs'],
  keeps: DecisionContext['keeps'],
): DecisionContext {
  return { origin: originOf(world.external, view.host), needs, keeps, requestId: record.requestId };
}

/** The Route's own rules over the proven identity, on every request. A refusal, or undefined. */
export function checkRules(
  { record }: Journey,
  lease: Lease,
  entry: RouteEntry,
  { identity, cookies }: Passage,
  target: RequestTarget,
): Reply | undefined {
  if (entry.authorization === undefined) return undefined;
  if (identity === undefined) throw new Error(`Route ${entry.route} has rules and no identity to hold them against`);
  const verdict = authorize(entry.authorization, identity, target);
  record.rule = verdict.rule;
  if (verdict.kind === 'Allowed') return undefined;
  return reply(403, 'forbidden', 'rule', notices.forbidden(verdict.rule, logoutPath(lease, entry)), { cookies });
}

/** Where the person can leave this account for another one, if a plugin of the Route has such a path. */
function logoutPath({ snapshot }: Lease, { plugins }: RouteEntry): string | undefined {
  const reserved = plugins.flatMap((key) => snapshot.plugins.get(key)?.reserved ?? []);
  return reserved.find(({ purpose }) => purpose === 'logout')?.path;
}

const ofPlugin = (
  decision: Extract<Decision, { kind: 'respond' }>,
  cookies: readonly string[],
  outcome: RequestRecord['outcome'],
): Reply =>
  reply(decision.status, outcome, decision.outcome, decision.notice, {
    headers: decision.headers,
    cookies: [...cookies, ...decision.cookies],
  });

const loginOutcome = (status: number): RequestRecord['outcome'] =>
  status >= 300 && status < 400 ? 'login' : status === 401 ? 'unauthenticated' : 'plugin';
