import { authorize } from '../authorization/authorize.ts';
import type { ProvenIdentity } from '../authorization/identity.ts';
import type { Acquire, Lease } from '../control/lease.ts';
import { type ExternalAddress, originOf } from '../resources/external.ts';
import type { Decision, DecisionContext, HeaderLine, Notice } from '../routing/decision.ts';
import { match } from '../routing/match.ts';
import type { RouteEntry } from '../routing/snapshot.ts';
import type { ReservedMatch } from '../routing/table.ts';
import { parseTarget, type RequestTarget, TARGET_FAULT_STATUS, type TargetFault } from '../routing/target.ts';
import type { Exchange } from './exchange.ts';
import { FAILURE_STATUS, type Forwarder, type ForwardFailure, type UpstreamResponse } from './forwarder.ts';
import { type CheckedHead, checkHead, type GateFault } from './gate.ts';
import type { HeaderClassifier } from './header-class.ts';
import { authorityOf, clientHeaders, pluginHeaderFault, upstreamHeaders } from './headers.ts';
import type { ProxyLimits } from './limits.ts';
import * as notices from './pages/notices.ts';
import type { RequestObserver, RequestRecord } from './record.ts';
import { type Reply, reply, writeReply } from './reply.ts';
import { HeadView } from './request-view.ts';

/** Bugs go here, once each. */
export interface ProxyLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Everything the journey needs and doesn't make. */
export interface ProxyWorld {
  readonly acquire: Acquire;
  readonly forwarder: Forwarder;
  readonly observer: RequestObserver;
  readonly external: ExternalAddress;
  readonly classify: HeaderClassifier;
  readonly log: ProxyLog;
  readonly limits: ProxyLimits;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  requestId(): string;
}

/** One request on its way. */
interface Journey {
  readonly world: ProxyWorld;
  readonly exchange: Exchange;
  readonly record: RequestRecord;
  /** Undefined until the gate has let the request in. */
  view: HeadView | undefined;
}

/** What the plugins of a Route said, when all let the request go on. */
interface Passage {
  readonly identity: ProvenIdentity | undefined;
  readonly headers: readonly HeaderLine[];
  readonly cookies: readonly string[];
}

const NO_PASSAGE: Passage = { identity: undefined, headers: [], cookies: [] };
/** RFC 9110 section 15.5.6, for methods that are never forwarded (A015). */
const ALLOWED: readonly HeaderLine[] = [{ name: 'Allow', value: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' }];
/** Seconds after which what is closed or not there yet is worth another look. */
const RETRY_AFTER: readonly HeaderLine[] = [{ name: 'Retry-After', value: '10' }];

/**
 * The journey of a request (DESIGN section 4). Never rejects: whatever is thrown on the way closes the door, and one
 * `finally` releases and observes (invariants 2 and 10).
 */
export async function serve(exchange: Exchange, world: ProxyWorld): Promise<void> {
  const record = newRecord(exchange, world);
  const journey: Journey = { world, exchange, record, view: undefined };
  let lease: Lease | undefined;
  try {
    world.observer.started();
    lease = world.acquire();
    const answer = lease === undefined ? notStarted() : await travel(journey, lease);
    if (answer !== undefined) writeReply(exchange, answer, record, (name) => journey.view?.header(name));
  } catch (error) {
    closeDoor(journey, error);
  } finally {
    finish(journey, lease);
  }
}

/** From the head to the upstream. A reply, or undefined where an upstream's response was passed on. */
async function travel(journey: Journey, lease: Lease): Promise<Reply | undefined> {
  const { world, exchange, record } = journey;
  const gate = checkHead(exchange.head, world.classify, world.limits);
  if (!gate.ok) return refuseHead(gate.fault);
  const { head } = gate;

  const parsed = parseTarget(head.method, head.host, head.target);
  if (!parsed.ok) return badTarget(parsed.fault);
  const { target } = parsed;
  record.host = target.host;
  record.path = target.path;
  const view = new HeadView(head, target);
  journey.view = view;

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
      return reply(400, 'bad_request', 'ambiguous_path', notices.badRequest(), { close: true });
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

  const decided = entry.plugins.length === 0 ? NO_PASSAGE : await decide(journey, lease, entry, view);
  if ('status' in decided) return decided;
  if (entry.exposure === 'Protected' && decided.identity === undefined) {
    throw new Error(`the plugins of Route ${entry.route} let a request pass without an identity`);
  }
  const forbidden = checkRules(journey, entry, decided, target);
  if (forbidden !== undefined) return forbidden;
  return forward(journey, head, target, entry, decided);
}

/** Each plugin in its order; the first that answers itself ends it. Awaits only where a plugin gives a promise. */
async function decide(journey: Journey, lease: Lease, entry: RouteEntry, view: HeadView): Promise<Passage | Reply> {
  let identity: ProvenIdentity | undefined;
  const headers: HeaderLine[] = [];
  const cookies: string[] = [];
  for (const key of entry.plugins) {
    journey.record.plugin = key;
    const instance = lease.plugin(key);
    const keeps = lease.snapshot.plugins.get(key)?.needs;
    if (instance === undefined || keeps === undefined)
      throw new Error(`plugin ${key} of Route ${entry.route} isn't there`);
    const context = contextOf(journey, view, entry.needs, keeps);
    const pending = instance.decide(view, context);
    const decision = pending instanceof Promise ? await pending : pending;
    if (decision.kind === 'respond') return ofPlugin(decision, cookies, loginOutcome(decision.status));
    const fault = pluginHeaderFault(decision.headers, journey.world.classify);
    if (fault !== undefined) throw new Error(`plugin ${key}: ${fault}`);
    identity ??= decision.identity;
    headers.push(...decision.headers);
    cookies.push(...decision.cookies);
  }
  return { identity, headers, cookies };
}

/** A path that a plugin answers itself: a callback, a logout. */
async function answerReserved(
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
function checkRules(
  { record }: Journey,
  entry: RouteEntry,
  { identity, cookies }: Passage,
  target: RequestTarget,
): Reply | undefined {
  if (entry.authorization === undefined) return undefined;
  if (identity === undefined) throw new Error(`Route ${entry.route} has rules and no identity to hold them against`);
  const verdict = authorize(entry.authorization, identity, target);
  record.rule = verdict.rule;
  if (verdict.kind === 'Allowed') return undefined;
  return reply(403, 'forbidden', 'rule', notices.forbidden(verdict.rule), { cookies });
}

/** Strips, injects, and passes the request and its response on. A reply where no response came. */
async function forward(
  journey: Journey,
  head: CheckedHead,
  target: RequestTarget,
  entry: RouteEntry,
  passage: Passage,
): Promise<Reply | undefined> {
  const { world, exchange, record } = journey;
  const { action } = entry;
  if (action.kind !== 'Forward') throw new Error(`Route ${entry.route} has nowhere to forward to`);
  const { backend } = action;
  const body = exchange.body(head);
  const headers = upstreamHeaders(head, {
    authority: backend.kind === 'Url' ? authorityOf(backend) : target.host,
    client: exchange.client,
    host: target.host,
    external: world.external,
    requestId: record.requestId,
    plugins: passage.headers,
    removeAuthorization: entry.removeAuthorization,
  });
  const asked = world.now();
  try {
    const result = await world.forwarder.forward({
      backend,
      timeouts: action.timeouts,
      method: head.method,
      target: target.path + target.query,
      headers,
      framing: head.framing,
      body,
      client: exchange,
    });
    if (result.kind === 'Failed') return upstreamFailed(result, passage.cookies);
    await passOn(journey, result, passage.cookies);
    return undefined;
  } finally {
    record.upstreamMs = world.now() - asked;
  }
}

async function passOn(
  { exchange, record }: Journey,
  response: UpstreamResponse,
  cookies: readonly string[],
): Promise<void> {
  record.status = response.status;
  record.outcome = 'forwarded';
  const headers = clientHeaders(response.headers, cookies, record.requestId);
  const end = await exchange.stream(response.status, headers, response.length, response.body);
  if (end === 'ClientGone') record.outcome = 'client_gone';
  else if (end === 'Aborted') {
    record.outcome = 'upstream_failed';
    record.reason = 'truncated';
  }
}

function upstreamFailed(failure: ForwardFailure, cookies: readonly string[]): Reply {
  const status = FAILURE_STATUS[failure.code];
  switch (failure.code) {
    case 'client_gone':
      return reply(0, 'client_gone', failure.code, undefined);
    case 'bad_request_body':
    case 'client_timeout':
      return reply(status, 'bad_request', failure.code, notices.badRequest(), { close: true });
    default: {
      const notice = status === 504 ? notices.gatewayTimeout() : notices.badGateway();
      return reply(status, 'upstream_failed', failure.code, notice, { cookies });
    }
  }
}

/** Nothing of such a head is used, its Accept neither: the answer is JSON, and the last of its connection. */
const refuseHead = ({ status, reason }: GateFault): Reply =>
  reply(status, 'bad_request', reason, headNotice(status), { close: true });

const headNotice = (status: number): Notice =>
  status === 414 || status === 431 ? notices.requestTooLarge() : notices.badRequest();

function badTarget(fault: TargetFault): Reply {
  const status = TARGET_FAULT_STATUS[fault];
  const notice = status === 405 ? notices.methodNotAllowed() : headNotice(status);
  return reply(status, 'bad_request', fault, notice, { close: true, headers: status === 405 ? ALLOWED : [] });
}

const notStarted = (): Reply =>
  reply(503, 'refused', 'starting', notices.starting(), { headers: RETRY_AFTER, close: true });

const methodNotAllowed = (allow: readonly string[]): Reply =>
  reply(405, 'no_route', 'method_not_allowed', notices.methodNotAllowed(), {
    headers: [{ name: 'Allow', value: allow.join(', ') }],
  });

const refuseRoute = ({ action }: RouteEntry): Reply =>
  reply(503, 'refused', action.kind === 'Refuse' ? action.reason : 'Denied', notices.routeRefused(), {
    headers: RETRY_AFTER,
  });

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

/** A bug: nothing more is passed on, the client hears 500, the log hears what it was (F55). */
function closeDoor({ exchange, record, world, view }: Journey, error: unknown): void {
  contained(() =>
    world.log.error({ err: error, request_id: record.requestId, route: record.route }, 'a request failed on a bug'),
  );
  record.outcome = 'internal_error';
  record.reason = 'exception';
  try {
    if (exchange.answered) exchange.abort();
    else
      writeReply(exchange, reply(500, 'internal_error', 'exception', notices.internalError()), record, (name) =>
        view?.header(name),
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

const newRecord = (exchange: Exchange, world: ProxyWorld): RequestRecord => ({
  requestId: world.requestId(),
  startedAt: world.now(),
  client: exchange.client,
  method: exchange.head.method,
  host: '',
  path: '',
  route: undefined,
  service: undefined,
  plugin: undefined,
  status: 0,
  outcome: 'internal_error',
  reason: undefined,
  rule: undefined,
  requestBytes: 0,
  responseBytes: 0,
  upstreamMs: undefined,
  durationMs: 0,
});
