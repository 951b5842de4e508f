import { parseAuthority } from '../../src/resources/hostname.ts';
import { parseObject } from '../../src/resources/parse.ts';
import { canonicalPath } from '../../src/resources/path.ts';
import type { Parsed } from '../../src/resources/resource.ts';
import { type CompileOptions, compile } from '../../src/routing/compile.ts';
import { type Match, match } from '../../src/routing/match.ts';
import type { Compiled } from '../../src/routing/snapshot.ts';
import type { RouteTable } from '../../src/routing/table.ts';
import { KINDS } from './kinds.ts';

export const OPTIONS: CompileOptions = {
  plugins: KINDS,
  external: { scheme: 'https', port: 443 },
  mode: { kind: 'Files' },
};

/** As an API server vouches for it: creationTimestamp counts. */
const VOUCHED = { class: 'postern', defaultNamespace: undefined, fallbackName: '(unnamed)' };

/** What files mode sees as objects; what is foreign or can't be told to be an object is left out. */
export function parseAll(values: readonly unknown[], vouched = false): readonly Parsed[] {
  return values.flatMap((value) => parseOne(value, vouched) ?? []);
}

export function parseOne(value: unknown, vouched = false): Parsed | undefined {
  const parsed = vouched ? parseObject(value, KINDS, VOUCHED) : parseObject(value, KINDS);
  return 'ok' in parsed ? parsed : undefined;
}

export const compileAll = (values: readonly unknown[], vouched = false): Compiled =>
  compile(parseAll(values, vouched), OPTIONS);

export interface Probe {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** With its `?`; absent: none. */
  readonly query?: string;
}

/** Undefined where no such request gets past the canonical target. */
export function ask(table: RouteTable, probe: Probe): Match | undefined {
  const host = parseAuthority(probe.host);
  const path = canonicalPath(probe.path);
  if (host === undefined || !path.ok) return undefined;
  return match(
    table,
    { method: probe.method, host, path: path.path, query: probe.query ?? '' },
    (name) => probe.headers[name],
  );
}

/** `GET shop.example.com /orders` in, `Public shop/orders` out; what isn't a Route by its kind. */
export function answer(table: RouteTable, request: string, headers: Readonly<Record<string, string>> = {}): string {
  const [method = '', host = '', target = ''] = request.split(' ');
  const [path = '', query] = target.split(/(?=\?)/);
  const found = ask(table, { method, host, path, headers, ...(query !== undefined && { query }) });
  if (found === undefined) return 'BadTarget';
  switch (found.kind) {
    case 'Route':
      return `${found.entry.exposure} ${found.entry.route}`;
    case 'MethodNotAllowed':
      return `MethodNotAllowed ${found.allow.join(',')}`;
    case 'Reserved':
      return `Reserved ${found.purpose} ${found.plugin}`;
    default:
      return found.kind;
  }
}

const API = 'postern.dev/v1alpha1';
type Spec = Readonly<Record<string, unknown>>;
export interface Raw {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: unknown;
  readonly stringData?: unknown;
}

export const object = (kind: string, id: string, spec: Spec): Raw => {
  const [namespace = '', name = ''] = id.split('/');
  return { apiVersion: API, kind, metadata: { name, namespace }, spec };
};

/** `paths`: `/orders` for a Prefix, `=/orders` for an Exact, `~/orders/.*` for a RegularExpression. */
export const route = (id: string, hosts: readonly string[], paths: readonly string[], spec: Spec): Raw =>
  object('Route', id, {
    hosts,
    paths: paths.map((p) => {
      const type = { '=': 'Exact', '~': 'RegularExpression' }[p[0] ?? ''];
      return type === undefined ? { type: 'Prefix', value: p } : { type, value: p.slice(1) };
    }),
    ...spec,
  });
export const service = (id: string, url: string, plugins?: readonly unknown[]): Raw =>
  object('Service', id, { url, ...(plugins && { plugins }) });
export const gate = (id: string, spec: Spec = {}): Raw => object('GatePlugin', id, spec);
export const secret = (id: string, data: Spec): Raw => {
  const { metadata } = object('Secret', id, {});
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData: data };
};
export const gateRef = (name: string) => ({ kind: 'GatePlugin', name });
