import type { Lease } from '../control/lease.ts';
import { match } from '../routing/match.ts';
import { parseTarget } from '../routing/target.ts';
import { answerPreflight, beforeLogin } from './before-login.ts';
import { announcedTooLarge } from './body-limits.ts';
import { findPreflight, NO_LINES } from './cors.ts';
import { answerReserved, checkRules, decide, NO_PASSAGE } from './decide.ts';
import type { Exchange } from './exchange.ts';
import { checkHead } from './gate.ts';
import * as notices from './pages/notices.ts';
import { forward } from './pass-on.ts';
import { badTarget, methodNotAllowed, notStarted, overloaded, refuseHead, refuseRoute } from './refusals.ts';
import { type Reply, reply, writeReply } from './reply.ts';
import { HeadView, headerOf } from './request-view.ts';
import { rewriteTarget } from './rewrite.ts';
import { joinTunnel, refuseUpgrade, type Switching, withoutRedirect } from './upgrade.ts';
import { type Journey, newRecord, type ProxyWorld } from './world.ts';

/**
 * The journey of a request (DESIGN section 4). Never rejects: whatever is thrown on the way closes the door, and one
 * `finally` releases and observes (invariants 2 and 10).
 */
export async function serve(exchange: Exchange, world: ProxyWorld): Promise<void> {
  const record = newRecord(exchange, world);
  const journey: Journey = { world, exchange, record, head: undefined, forwardedFor: exchange.client, cors: NO_LINES };
  let lease: Lease | undefined;
  try {
    world.observer.started();
    lease = world.acquire();
    const answer = lease === undefined ? notStarted() : await travel(journey, lease);
    if (answer === undefined) return;
    if ('status' in answer) {
      writeReply(exchange, answer, record, (name) => headerOf(journey.head, name), journey.cors);
    } else {
      // Tunnels last: no snapshot and no plugin instance of now is to be kept for them.
      const held = lease;
      lease = undefined;
      contained(() => held?.release());
      await joinTunnel(journey, answer);
    }
  } catch (error) {
    closeDoor(journey, error);
  } finally {
    finish(journey, lease);
  }
}

/**
 * From the head to the upstream. A reply; or undefined where an upstream's response was passed on; or the upstream has
 * switched to another protocol.
 */
async function travel(journey: Journey, lease: Lease): Promise<Reply | Switching | undefined> {
  const { world, exchange, record } = journey;
  const gate = checkHead(exchange.head, world.classify, world.limits);
  if (!gate.ok) return refuseHead(gate.fault);
  const { head } = gate;
  journey.head = head;
  if (world.clients !== undefined) {
    const trace = world.clients.trace(exchange.client, headerOf(head, 'x-forwarded-for'));
    record.client = trace.client;
    journey.forwardedFor = trace.forwardedFor;
  }

  const parsed = parseTarget(head.method, head.host, head.target);
  if (!parsed.ok) return badTarget(parsed.fault);
  const { target } = parsed;
  record.host = target.host;
  record.path = target.path;
  const answered = world.admit?.(target, exchange, lease.snapshot);
  if (answered !== undefined) return answered;
  if (world.overload.shedding !== undefined) return overloaded(world.overload.shedding);
  const view = new HeadView(head, target);

  const preflight = head.method === 'OPTIONS' ? findPreflight(lease.snapshot.table, target, view) : undefined;
  if (preflight !== undefined) return answerPreflight(journey, preflight, view);
  const matched = match(lease.snapshot.table, target, (name) => view.header(name));
  switch (matched.kind) {
    case 'NoHost':
      return reply(404, 'no_route', 'no_host', notices.unknownHost());
    case 'NotFound':
    case 'ReservedNotFound':
      return reply(404, 'no_route', 'not_found', notices.noRoute());
    case 'MethodNotAllowed':
      return methodNotAllowed(matched.allow);
    case 'Ambiguous':
      return reply(
        400,
        'bad_request',
        matched.of === 'Path' ? 'ambiguous_path' : 'ambiguous_query',
        notices.badRequest(),
        { close: true },
      );
    case 'Reserved':
      return answerReserved(journey, lease, matched, view);
    case 'Route':
      break;
  }

  const { entry } = matched;
  record.route = entry.route;
  if (entry.action.kind === 'Refuse' || entry.exposure === 'Denied') return refuseRoute(entry);
  record.service = entry.action.service;
  if (target.encodedSlash && entry.encodedSlashes === 'Reject') {
    return reply(400, 'bad_request', 'encoded_slash', notices.badRequest(), { close: true });
  }
  const stopped = entry.filters && beforeLogin(journey, entry.filters, target, view);
  if (stopped !== undefined) return stopped;
  const unwanted = head.upgrade === undefined ? undefined : refuseUpgrade(journey, head, entry, target);
  if (unwanted !== undefined) return unwanted;

  const pending = entry.plugins.length === 0 ? NO_PASSAGE : decide(journey, lease, entry, view);
  const decided = pending instanceof Promise ? await pending : pending;
  if ('status' in decided) return head.upgrade === undefined ? decided : withoutRedirect(decided);
  if (entry.exposure === 'Protected' && decided.identity === undefined) {
    throw new Error(`the plugins of Route ${entry.route} let a request pass without an identity`);
  }
  const forbidden = checkRules(journey, lease, entry, decided, target);
  if (forbidden !== undefined) return forbidden;
  const tooLarge = announcedTooLarge(head.framing, entry, world.limits);
  if (tooLarge !== undefined) return tooLarge;
  const sent = entry.filters === undefined ? target : rewriteTarget(lease, matched, decided, target);
  if ('status' in sent) return sent;
  return forward(journey, head, sent, entry, decided);
}

/** A bug: nothing more is passed on, the client hears 500, the log hears what it was (F55). */
function closeDoor({ exchange, record, world, head, cors }: Journey, error: unknown): void {
  contained(() =>
    world.log.error({ err: error, request_id: record.requestId, route: record.route }, 'a request failed on a bug'),
  );
  record.outcome = 'internal_error';
  record.reason = 'exception';
  try {
    if (exchange.answered) exchange.abort();
    else
      writeReply(
        exchange,
        reply(500, 'internal_error', 'exception', notices.internalError()),
        record,
        (name) => headerOf(head, name),
        cors,
      );
  } catch {
    exchange.abort();
  }
}

function finish({ exchange, record, world }: Journey, lease: Lease | undefined): void {
  if (exchange.gone && !exchange.answered) {
    record.status = 0;
    if (record.outcome !== 'internal_error') record.outcome = 'client_gone';
  }
  record.requestBytes = exchange.requestBytes;
  record.responseBytes = exchange.responseBytes;
  record.durationMs = world.now() - record.startedAt;
  contained(() => lease?.release());
  contained(() => world.observer.finished(record));
}

/** What watches a request can't break it (F55). */
function contained(step: () => void): void {
  try {
    step();
  } catch {
    // Log and metrics are the only places that could be told, and they are what failed.
  }
}
