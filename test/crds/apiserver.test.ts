import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Rule } from '../../scripts/crd/rules/cel.ts';
import { OIDC_PLUGIN_RULES } from '../../scripts/crd/rules/oidc-plugin.ts';
import { ROUTE_RULES } from '../../scripts/crd/rules/route.ts';
import { SERVICE_RULES } from '../../scripts/crd/rules/service.ts';
import { compilePolicy } from '../../src/authorization/compile-policy.ts';
import { PLUGIN_KINDS } from '../../src/plugins/kinds.ts';
import { parseObject } from '../../src/resources/parse.ts';
import { isPlain, own } from '../../src/resources/plain.ts';
import { formatPath } from '../../src/resources/problem.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { apiserver } from '../support/parts.ts';
import { COUNTER_EXAMPLES, type CounterExample, PLURALS, VALID } from './counter-examples.ts';
import { generated } from './generated-specs.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLES = join(ROOT, 'manifests', 'examples');
const RULES: Readonly<Record<CounterExample['kind'], readonly Rule[]>> = {
  Service: SERVICE_RULES,
  Route: ROUTE_RULES,
  OidcPlugin: OIDC_PLUGIN_RULES,
};

interface Cause {
  readonly field: string;
  readonly message: string;
}

/** Every `field: message` of a refusal. */
function causesOf(body: unknown): readonly Cause[] {
  const causes = own(own(body, 'details'), 'causes');
  return (Array.isArray(causes) ? causes : []).map((cause: unknown) => ({
    field: String(own(cause, 'field')),
    message: String(own(cause, 'message')).replace(/^Invalid value: ("([^"\\]|\\.)*": )?/, ''),
  }));
}

const object = (kind: string, spec: unknown, name = 'tried') => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'shop' },
  spec,
});

/** What parser and policy say of an object, read as its own class does; nothing where they accept it. */
function parserProblems(value: unknown): readonly string[] {
  const named = own(own(value, 'spec'), 'class');
  const options = {
    class: typeof named === 'string' ? named : 'postern',
    defaultNamespace: undefined,
    fallbackName: '(unnamed)',
  };
  const result = parseObject(value, PLUGIN_KINDS, options);
  if ('ok' in result) {
    const route = result.ok && result.value.kind === 'Route' ? result.value : undefined;
    const checked = result.ok ? compilePolicy(route?.authorization) : result;
    return checked.ok ? [] : checked.problems.map(({ path, message }) => `${formatPath(path)} ${message}`);
  }
  return result.kind === 'Foreign' ? ['foreign'] : [result.problem.message];
}

describe.skipIf(apiserver.missing)(`CRDs on a real API server ${apiserver.why}`, () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await startApiServer();
    for (const name of readdirSync(join(ROOT, 'crds')))
      await server.apply(readFileSync(join(ROOT, 'crds', name), 'utf8'));
    const waited = await server.kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
    expect(waited).toMatchObject({ code: 0, stdout: expect.stringMatching(/oidcplugins.*routes.*services/s) });
    await server.apply('{apiVersion: v1, kind: Namespace, metadata: {name: shop}}');
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
  });

  const tried = (kind: CounterExample['kind'], spec: unknown, validation: 'Strict' | 'Ignore' = 'Strict') =>
    server.call(
      'POST',
      `/apis/postern.dev/v1alpha1/namespaces/shop/${PLURALS[kind]}?dryRun=All&fieldValidation=${validation}`,
      object(kind, spec),
    );

  it('takes every schema as structural, and every rule within its cost', async () => {
    const { body } = await server.call('GET', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions');
    const items = own(body, 'items');
    expect(items).toHaveLength(3);
    for (const crd of Array.isArray(items) ? items : []) {
      const conditions: unknown = own(own(crd, 'status'), 'conditions');
      expect(conditions).toContainEqual(expect.objectContaining({ type: 'Established', status: 'True' }));
      expect(conditions).toContainEqual(expect.objectContaining({ type: 'NamesAccepted', status: 'True' }));
      expect(conditions).not.toContainEqual(expect.objectContaining({ type: 'NonStructuralSchema', status: 'True' }));
    }
  });

  const yamlIn = (directory: string): readonly string[] =>
    readdirSync(directory)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => readFileSync(join(directory, name), 'utf8'));
  const folders = readdirSync(EXAMPLES).filter((name) => !name.endsWith('.yaml'));

  it.each(folders)('accepts manifests/examples/%s by strict server-side apply', async (example) => {
    await server.apply(`{apiVersion: v1, kind: Namespace, metadata: {name: ${example}}}`);
    const examples = yamlIn(join(EXAMPLES, example));
    expect(examples.length).toBeGreaterThan(0);
    // What lies above the folders is for all of them, with the namespace.
    for (const text of [...yamlIn(EXAMPLES), ...examples]) await server.apply(text);
  });

  it.each(Object.entries(VALID))('accepts the %s that the counter-examples are made of', async (kind, spec) => {
    if (kind !== 'Service' && kind !== 'Route' && kind !== 'OidcPlugin') throw new Error(kind);
    expect(await tried(kind, spec)).toMatchObject({ status: 201 });
  });

  it.each(COUNTER_EXAMPLES.map((example) => [example.kind, JSON.stringify(example.spec), example] as const))(
    'refuses %s with %s, and says what to write',
    async (kind, _text, { spec, field, message }) => {
      const whole = { ...VALID[kind], ...spec };
      const { status, body } = await tried(kind, whole);
      expect(status).toBe(422);
      const expected = typeof message === 'string' ? message : expect.stringMatching(message);
      expect(causesOf(body)).toContainEqual({ field, message: expected });
    },
  );

  it('has a counter-example for each rule', async () => {
    const seen = new Set<string>();
    for (const { kind, spec } of COUNTER_EXAMPLES) {
      const { body } = await tried(kind, { ...VALID[kind], ...spec });
      for (const { field, message } of causesOf(body))
        seen.add(`${kind} ${field.replace(/\[\d+\]/g, '[]')}: ${message}`);
    }
    const all = Object.entries(RULES).flatMap(([kind, rules]) =>
      rules.map(({ at, fieldPath = '', message }) => `${kind} ${at}${fieldPath}: ${message}`),
    );
    expect(all.filter((rule) => !seen.has(rule))).toEqual([]);
  });

  it('refuses an unknown field under strict validation, and prunes it under none', async () => {
    const spec = { ...VALID.Route, plugin: [], paths: [{ type: 'Prefix', value: '/a', wildcard: true }] };
    const strict = await tried('Route', spec);
    expect(strict.status).toBe(400);
    expect(own(strict.body, 'message')).toMatch(
      /unknown field "spec\.paths\[0\]\.wildcard".*unknown field "spec\.plugin"/,
    );
    const pruned = await tried('Route', spec, 'Ignore');
    expect(pruned.status).toBe(201);
    expect(own(pruned.body, 'spec')).toEqual({
      ...VALID.Route,
      paths: [{ type: 'Prefix', value: '/a' }],
      class: 'postern',
      encodedSlashes: 'Reject',
      headers: [],
      timeouts: {},
    });
  });

  it('refuses a host twice and two plugins of a kind, which the lists can not hold', async () => {
    const host = await tried('Route', { ...VALID.Route, hosts: ['a.example', 'a.example'] });
    expect(causesOf(host.body)).toContainEqual({
      field: 'spec.hosts[1]',
      message: expect.stringMatching(/^Duplicate/),
    });
    const plugins = [
      { kind: 'OidcPlugin', name: 'a' },
      { kind: 'OidcPlugin', name: 'b' },
    ];
    for (const kind of ['Route', 'Service'] as const) {
      const twice = await tried(kind, { ...VALID[kind], plugins });
      expect(causesOf(twice.body)).toContainEqual({
        field: 'spec.plugins[1]',
        message: expect.stringMatching(/^Duplicate/),
      });
    }
  });

  it('shows by kubectl get, under the short names and the category, what a person asks first', async () => {
    for (const kind of ['Service', 'Route', 'OidcPlugin'] as const) {
      await server.apply(JSON.stringify(object(kind, VALID[kind], 'shown')));
    }
    const lines = async (...args: readonly string[]) => {
      const { stdout } = await server.kubectl(['get', '-n', 'shop', ...args]);
      return stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
    };
    expect((await lines('psvc'))[0]).toEqual(['NAME', 'TARGET', 'READY', 'REASON', 'AGE']);
    expect((await lines('proute'))[0]).toEqual([
      'NAME',
      'HOSTS',
      'SERVICE',
      'EXPOSURE',
      'AUTHORIZATION',
      'READY',
      'REASON',
      'AGE',
    ]);
    expect((await lines('proute', '-o', 'wide'))[0]).toEqual(
      'NAME HOSTS SERVICE EXPOSURE AUTHORIZATION CLIENTS OIDC READY REASON AGE'.split(' '),
    );
    expect((await lines('oidc'))[0]).toEqual(['NAME', 'ISSUER', 'READY', 'REASON', 'AGE']);
    expect((await lines('oidc', '-o', 'wide'))[0]).toEqual('NAME ISSUER CLIENT-ID READY REASON ROUTES AGE'.split(' '));
    const { stdout } = await server.kubectl(['get', '-n', 'shop', '-o', 'name', 'postern']);
    expect(stdout.trim().split('\n').toSorted()).toEqual([
      'oidcplugin.postern.dev/shown',
      'route.postern.dev/shown',
      'service.postern.dev/shown',
    ]);
  });

  it('keeps status apart: spec is not written through it, nor status through the object', async () => {
    const at = '/apis/postern.dev/v1alpha1/namespaces/shop/routes';
    const status = {
      exposure: 'Protected',
      authorization: 'AnyAccount',
      redirectURIs: ['https://a.example/_oidc/okta/callback'],
    };
    const made = await server.call('POST', at, { ...object('Route', VALID.Route, 'status'), status });
    expect(own(made.body, 'status')).toBeUndefined();
    const patch = { status, spec: { hosts: ['other.example'] } };
    const patched = await server.call('PATCH', `${at}/status/status`, patch, 'application/merge-patch+json');
    expect(patched.status).toBe(200);
    expect(own(patched.body, 'status')).toEqual(status);
    expect(own(own(patched.body, 'spec'), 'hosts')).toEqual(VALID.Route.hosts);
    expect(own(own(patched.body, 'metadata'), 'generation')).toBe(1);
  });

  it('means by its rules what the parser means: what it refuses the parser refuses, and what it accepts lacks only what no rule can say', async () => {
    let accepted = 0;
    const property = fc.asyncProperty(generated, async ({ kind, spec }) => {
      const { status, body } = await tried(kind, spec);
      expect([201, 400, 422]).toContain(status);
      if (status === 201) {
        accepted += 1;
        expect(parserProblems(body).filter((text) => !BEYOND_RULES.some((pattern) => pattern.test(text)))).toEqual([]);
      } else if (!causesOf(body).some(({ message }) => message.startsWith('has both access: Public and plugins'))) {
        expect(parserProblems(withoutUndefined(object(kind, spec)))).not.toEqual([]);
      }
    });
    await fc.assert(property, { numRuns: RUNS });
    // Neither side of the property may run empty.
    expect(accepted).toBeGreaterThan(RUNS / 20);
    expect(accepted).toBeLessThan(RUNS * 0.95);
  }, 120_000);
});

const RUNS = 1500;

/** Problems that the parser finds and no rule can say, each of them a condition: they need decoding or arithmetic. */
const BEYOND_RULES: readonly RegExp[] = [
  /(paths\[\d+\]\.value|redirectPath|logout\.path) (must be in canonical form|servers read this path in more than one way)/,
  /(paths\[\d+\]\.value|redirectPath|logout\.path) has (an escaped|escapes that aren’t UTF-8|a segment \.)/,
  /paths\[\d+\]\.value is there twice/,
  // Of regular expressions, which would have to be compiled.
  /paths\[\d+\]\.value (can’t be read|costs more than|has %|has a \\|\/_oidc is Postern’s own)/,
  /^spec\.rewrite\.(path|prefix) (must be in canonical form|servers read this path|has (an escaped|escapes that|a segment))/,
  /^spec\.(request|response)Headers\.\w+\[\d+\](\.name)? is there twice/,
  /^spec\.clients\.allow\[\d+\] /,
  // A port above 65535, an IPv6 address in another form, a name of more than 253 characters or an address in a number.
  /^spec\.cors\.allowOrigins\[\d+\] must be/,
  // As browsers write an origin: without a path, the scheme's own port and capital letters.
  /^spec\.websocket\.allowedOrigins\[\d+\] /,
  /^spec\.url must have a (DNS name|port)/,
  // A host that is none, a port above 65535, a link-local address.
  /^spec\.http\.proxy /,
  /^spec\.path has a path/,
  /^spec\.tls\.serverName must be a DNS name/,
  /^spec\.url has (a path|an IPv4 address written as IPv6)/,
  /^spec\.(issuer|endpoints\.\w+|logout\.postLogoutRedirectURI) must (be an absolute URL|not be at a link-local|not hold a user name)/,
  /^spec\.(claims\.\w+|upstream\.claims\[\d+\]\.claim|authorization\.rules\[\d+\]\.claims\[\d+\]\.path) must be names joined by dots/,
];

/** As it is sent: JSON has no undefined. */
const withoutUndefined = (value: unknown): unknown => {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  return isPlain(copy) ? copy : {};
};
