import { NO_NEEDS, type ProvenIdentity } from '../../../src/authorization/identity.ts';
import type { Policy } from '../../../src/authorization/policy.ts';
import type { Lease } from '../../../src/control/lease.ts';
import type { HealthCheck } from '../../../src/proxy/admission.ts';
import type { Forwarder } from '../../../src/proxy/forwarder.ts';
import { createFront, type Front, type HttpsOptions, type ListenerName } from '../../../src/proxy/front.ts';
import type { ProxyLimits } from '../../../src/proxy/limits.ts';
import type { ProxyListener } from '../../../src/proxy/listener.ts';
import type { Overload } from '../../../src/proxy/overload/overload.ts';
import type { Cut, RequestRecord } from '../../../src/proxy/record.ts';
import type { Cidr } from '../../../src/resources/address-policy.ts';
import { milliseconds } from '../../../src/resources/duration.ts';
import { type HostPattern, parseHostPattern } from '../../../src/resources/hostname.ts';
import { identityHeaders } from '../../../src/resources/identity-headers.ts';
import { namespacedName, type ObjectKey, objectKey } from '../../../src/resources/keys.ts';
import { canonicalPath, type RoutePath } from '../../../src/resources/path.ts';
import type { UpstreamProtocol, WebSocketRules } from '../../../src/resources/resource.ts';
import { parseSize } from '../../../src/resources/size.ts';
import type { UpstreamPolicy } from '../../../src/resources/upstream.ts';
import type { Decision, DecisionContext, PluginInstance, RequestView } from '../../../src/routing/decision.ts';
import type { PluginBinding, RouteEntry, Snapshot } from '../../../src/routing/snapshot.ts';
import type { Placement, ReservedMatch } from '../../../src/routing/table.ts';
import { buildTable } from '../../support/table.ts';
import { filesForwarder } from './files-forwarder.ts';
import { type FilterSpec, filtersOf } from './filters.ts';
import { upstreamSettings } from './upstream-settings.ts';

const HOST = 'app.example';
export const PLUGIN: ObjectKey = objectKey('TestPlugin', namespacedName('shop', 'door'));

export const ALICE: ProvenIdentity = {
  issuer: 'https://idp.example',
  subject: 'alice',
  username: 'alice',
  groups: ['staff'],
  email: { address: 'alice@example.com', verified: true },
  claims: {},
};

/** What a Route is in these tests; the rest is made up. */
export interface RouteSketch {
  readonly host?: string;
  readonly path: string;
  readonly exact?: boolean;
  /** `path` is a regular expression. */
  readonly expression?: boolean;
  readonly queryParams?: RouteEntry['queryParams'];
  readonly methods?: readonly string[];
  readonly exposure: 'Protected' | 'Public' | 'Denied';
  readonly authorization?: Policy;
  readonly removeAuthorization?: boolean;
  readonly encodedSlashes?: 'Reject' | 'Keep';
  readonly maxRequestBody?: string;
  readonly websocket?: WebSocketRules;
  readonly basePath?: string;
  /** Port of the upstream, or of another one. */
  readonly port?: number;
  readonly scheme?: 'http' | 'https';
  readonly protocol?: UpstreamProtocol;
  /** PEM of the authority that the upstream's certificate is held against. */
  readonly ca?: string;
  /** Fields of a Route’s spec that change a request or its response. */
  readonly filters?: FilterSpec;
  readonly timeouts?: {
    readonly connect?: number;
    readonly response?: number;
    readonly idle?: number;
    readonly request?: number;
  };
  readonly policy?: Partial<UpstreamPolicy>;
}

export interface GatewayOptions {
  readonly port: number;
  readonly routes?: readonly RouteSketch[];
  readonly reserved?: readonly string[];
  readonly plugin?: Partial<PluginInstance>;
  readonly limits?: Partial<ProxyLimits>;
  readonly forwarder?: Forwarder;
  readonly noSnapshot?: boolean;
  readonly identityHeaders?: readonly string[];
  readonly https?: HttpsOptions;
  readonly health?: HealthCheck;
  readonly overload?: Overload;
  readonly trustedProxies?: readonly Cidr[];
  readonly proxyProtocol?: readonly ListenerName[];
  readonly forwardedHeader?: boolean;
  readonly externalPort?: number;
  readonly onTunnel?: () => void;
  readonly onFinished?: (record: RequestRecord) => void;
}

export interface Gateway {
  readonly port: number;
  /** Of the HTTPS listener; 0: there is none. */
  readonly tlsPort: number;
  readonly listener: ProxyListener;
  readonly front: Front;
  readonly records: readonly RequestRecord[];
  readonly rejected: readonly string[];
  /** Limits that struck, besides those that records tell of. */
  readonly limited: readonly string[];
  /** What each listener cut at its deadline. */
  readonly cuts: readonly Cut[];
  readonly errors: readonly string[];
  /** Leases taken and not released. */
  readonly leases: number;
  /** Client connections now. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Lets everybody in who sends `Cookie: user=…`, as Alice; others get 401. */
const cookieDoor = (request: RequestView): Decision =>
  /(^|; )user=/.test(request.header('cookie') ?? '')
    ? { kind: 'continue', identity: ALICE, headers: [{ name: 'X-Forwarded-User', value: 'alice' }], cookies: [] }
    : {
        kind: 'respond',
        status: 401,
        headers: [{ name: 'WWW-Authenticate', value: 'Bearer' }],
        cookies: [],
        notice: { code: 'unauthenticated', title: 'Sign in', text: 'Sign in.', advice: undefined, action: undefined },
        outcome: 'no_session',
      };

const DEFAULT_ROUTES: readonly RouteSketch[] = [
  { path: '/', exposure: 'Public' },
  { path: '/private', exposure: 'Protected' },
];

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const records: RequestRecord[] = [];
  const rejected: string[] = [];
  const limited: string[] = [];
  const cuts: Cut[] = [];
  const errors: string[] = [];
  let leases = 0;
  let connections = 0;
  const snapshot = snapshotOf(options);
  const instance: PluginInstance = {
    decide: cookieDoor,
    answer: (_request: RequestView, _context: DecisionContext): Decision => ({
      kind: 'respond',
      status: 200,
      headers: [],
      cookies: [],
      notice: { code: 'reserved', title: 'Reserved', text: 'Reserved.', advice: undefined, action: undefined },
      outcome: 'reserved',
    }),
    status: () => ({ status: 'True', reason: 'Test', message: '' }),
    stop: () => {},
    ...options.plugin,
  };
  const acquire = (): Lease => {
    leases += 1;
    return {
      snapshot,
      plugin: (key) => (key === PLUGIN ? instance : undefined),
      release: () => {
        leases -= 1;
      },
    };
  };
  const forwarder = options.forwarder ?? filesForwarder();
  const { https, health, overload, trustedProxies = [], proxyProtocol = [], forwardedHeader = false } = options;
  const front = createFront({
    https,
    health,
    trustedProxies,
    proxyProtocol,
    forwardedHeader,
    overload,
    acquire: options.noSnapshot === true ? () => undefined : acquire,
    forwarder,
    observer: {
      started: () => {},
      finished: (record) => {
        records.push(record);
        options.onFinished?.(record);
      },
      tunnel: () => options.onTunnel?.(),
      connection: (change) => {
        connections += change;
      },
      rejected: (reason) => rejected.push(reason),
      limited: (limit) => limited.push(limit),
      cut: (cut) => cuts.push(cut),
    },
    external: { scheme: 'https', port: options.externalPort ?? 443 },
    identityHeaders: identityHeaders(options.identityHeaders ?? []),
    log: { error: (fields, message) => errors.push(`${message}: ${String(fields['err'])}`) },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    now: () => performance.now(),
  });
  const address = { host: '127.0.0.1', port: 0 };
  const { port } = await front.plain.listen(address);
  const tlsPort = (await front.https?.listen(address))?.port ?? 0;
  return {
    port,
    tlsPort,
    listener: front.plain,
    front,
    records,
    rejected,
    limited,
    cuts,
    errors,
    get leases() {
      return leases;
    },
    get connections() {
      return connections;
    },
    async close() {
      await front.close(0);
      forwarder.close();
    },
  };
}

function snapshotOf(options: GatewayOptions): Snapshot {
  const placements = (options.routes ?? DEFAULT_ROUTES).map(
    (route, index): Placement => ({ entry: entryOf(route, index, options.port), closes: false }),
  );
  const reserved = new Map<RoutePath, ReservedMatch>(
    (options.reserved ?? []).map((path) => [pathOf(path), { kind: 'Reserved', plugin: PLUGIN, purpose: 'callback' }]),
  );
  const binding: PluginBinding = {
    config: { key: PLUGIN, identity: 'shop/door', kind: 'TestPlugin', value: undefined },
    reserved: [],
    needs: NO_NEEDS,
  };
  return {
    generation: 1,
    hash: '0',
    table: buildTable(placements, new Map([[hostOf(HOST), reserved]])),
    certificates: new Map(),
    plugins: new Map([[PLUGIN, binding]]),
  };
}

function entryOf(route: RouteSketch, index: number, port: number): RouteEntry {
  const { timeouts = {} } = route;
  return {
    route: namespacedName('shop', `route-${index}`),
    host: hostOf(route.host ?? HOST),
    path: pathMatchOf(route),
    methods: route.methods,
    headers: [],
    queryParams: route.queryParams,
    exposure: route.exposure,
    action:
      route.exposure === 'Denied'
        ? { kind: 'Refuse', reason: 'PluginNotFound' }
        : {
            kind: 'Forward',
            service: namespacedName('shop', 'service'),
            backend: {
              kind: 'Url',
              scheme: route.scheme ?? 'http',
              host: '127.0.0.1',
              port: route.port ?? port,
              basePath: route.basePath ?? '',
              protocol: route.protocol,
            },
            upstream: upstreamSettings(route.ca === undefined ? {} : { tls: { ca: route.ca } }, {
              ...route.policy,
              basePath: route.basePath ?? '',
            }),
            timeouts: {
              ...(timeouts.request === undefined ? {} : { request: milliseconds(timeouts.request) }),
              connect: milliseconds(timeouts.connect ?? 5000),
              response: milliseconds(timeouts.response ?? 10_000),
              idle: milliseconds(timeouts.idle ?? 10_000),
            },
          },
    plugins: route.exposure === 'Protected' ? [PLUGIN] : [],
    authorization: route.authorization,
    needs: NO_NEEDS,
    removeAuthorization: route.removeAuthorization ?? route.exposure === 'Protected',
    encodedSlashes: route.encodedSlashes ?? 'Reject',
    maxRequestBody: route.maxRequestBody === undefined ? undefined : parseSize(route.maxRequestBody),
    websocket: route.websocket,
    filters: filtersOf(route.filters, route.exact === true ? 'Exact' : 'Prefix'),
  };
}

function hostOf(text: string): HostPattern {
  const host = parseHostPattern(text);
  if (host === undefined) throw new Error(`not a host: ${text}`);
  return host;
}

const pathMatchOf = ({ path, exact, expression }: RouteSketch): RouteEntry['path'] =>
  expression === true
    ? { type: 'RegularExpression', value: path, steps: 20 }
    : { type: exact === true ? 'Exact' : 'Prefix', value: pathOf(path) };

export function pathOf(text: string): RoutePath {
  const path = canonicalPath(text);
  if (!path.ok) throw new Error(`not a path: ${text}`);
  return path.path;
}

/** Waits for what others do, without a clock of its own in the assertion. */
export async function eventually(holds: () => boolean, what: string, milliseconds = 10_000): Promise<void> {
  const until = performance.now() + milliseconds;
  while (!holds()) {
    if (performance.now() > until) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
