import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { helm } from '../../scripts/chart/helm.ts';
import { chartValues } from '../../scripts/chart/values-table.ts';
import { chartDifferences } from '../../scripts/chart.ts';
import { renderManifest, writtenManifest } from '../../scripts/manifests.ts';
import { LIMITS } from '../../src/proxy/limit-table.ts';
import { readSettings } from '../../src/settings.ts';
import { postern } from '../cli/run.ts';
import { at, CHART, CI_VALUES, objectsOf, type Rendered, record, render } from './render.ts';

const VALUES = readFileSync(join(CHART, 'values.yaml'), 'utf8');
const SCHEMA: unknown = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8'));

const deploymentOf = (objects: readonly Rendered[]): unknown =>
  objects.find(({ kind }) => kind === 'Deployment')?.object;
const containerOf = (objects: readonly Rendered[]): unknown =>
  at(deploymentOf(objects), 'spec', 'template', 'spec', 'containers', 0);
const argsOf = (objects: readonly Rendered[]): readonly string[] => {
  const args = at(containerOf(objects), 'args');
  return Array.isArray(args) ? args.map(String) : [];
};

describe('the chart', () => {
  it('passes helm lint --strict, with every file of ci/', async () => {
    const files = CI_VALUES.flatMap((file) => ['-f', join(CHART, file)]);
    for (const args of [[], files]) {
      const ran = await helm(['lint', '--strict', CHART, ...args]);
      expect(ran.stdout + ran.stderr).toContain('0 chart(s) failed');
      expect(ran.code).toBe(0);
    }
  });

  it('has the CRDs of crds/ and a README of its values; else run npm run chart', () => {
    expect(chartDifferences()).toEqual([]);
  });

  it('is what manifests/install/postern.yaml says; else run npm run manifests', async () => {
    expect(writtenManifest()).toBe(await renderManifest());
  });

  it('has the version of the program', () => {
    const { version } = JSON.parse(readFileSync(join(CHART, '..', '..', 'package.json'), 'utf8'));
    expect(parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'))).toMatchObject({ version, appVersion: version });
  });

  it('has a schema with exactly the values of values.yaml, strict at every level', () => {
    const named = chartValues(VALUES).values.map(({ path }) => path);
    const described = schemaPaths(SCHEMA, '');
    const groups = new Set(named.flatMap((path) => prefixes(path)));
    expect(named.filter((path) => !described.has(path))).toEqual([]);
    const unknown = [...described].filter(
      (path) => !groups.has(path) && !prefixes(path).some((p) => named.includes(p)),
    );
    expect(unknown).toEqual([]);
  });

  it('mentions every value in a template: what nothing reads is left out', () => {
    const templates = ['_helpers.tpl', 'deployment.yaml', 'service.yaml', 'serviceaccount.yaml', 'rbac.yaml'].concat(
      ['poddisruptionbudget.yaml', 'horizontalpodautoscaler.yaml', 'networkpolicy.yaml', 'servicemonitor.yaml'],
      ['prometheusrule.yaml', 'extraobjects.yaml', 'tests/pods.yaml'],
    );
    const text = templates.map((name) => readFileSync(join(CHART, 'templates', name), 'utf8')).join('\n');
    const leaves = chartValues(VALUES).values.map(({ path }) => path);
    expect(leaves.filter((path) => !new RegExp(`\\.${path.split('.').at(-1)}\\b`).test(text))).toEqual([]);
  });
});

describe('what it renders', () => {
  it.each(CI_VALUES)('%s: is of the namespaces it says, and no list names a thing twice', async (file) => {
    const rendering = await render(['-f', join(CHART, file)]);
    expect(rendering.ok ? '' : rendering.message).toBe('');
    if (!rendering.ok) return;
    expect(rendering.objects.length).toBeGreaterThan(8);
    const identities = rendering.objects.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`);
    expect(new Set(identities).size).toBe(identities.length);
    for (const { object } of rendering.objects) expect(twiceNamed(object)).toEqual([]);
  });

  it.each(CI_VALUES)('%s: holds no key material and makes no Secret', async (file) => {
    const rendering = await render(['-f', join(CHART, file), '--include-crds']);
    expect(rendering.ok).toBe(true);
    if (!rendering.ok) return;
    expect(rendering.objects.filter(({ kind, apiVersion }) => kind === 'Secret' && apiVersion === 'v1')).toEqual([]);
    expect(rendering.text).not.toMatch(/randAlpha|genPrivateKey|BEGIN [A-Z ]*PRIVATE KEY/);
  });

  it.each(CI_VALUES)('%s: gives the program arguments that it takes', async (file) => {
    const rendering = await render(['-f', join(CHART, file)]);
    if (!rendering.ok) throw new Error(rendering.message);
    const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1', POSTERN_POD_NAME: 'a', POSTERN_POD_NAMESPACE: 'b' };
    const read = readSettings(argsOf(rendering.objects), false, environment);
    expect(read.ok ? [] : read.problems).toEqual([]);
  });

  it('is the same twice, so that an upgrade without a change changes nothing', async () => {
    const [one, other] = await Promise.all([render([]), render([])]);
    expect(one).toEqual(other);
  });

  it('runs as nobody, with nothing to write to and no capability', async () => {
    const objects = await objectsOf({});
    const pod = at(deploymentOf(objects), 'spec', 'template', 'spec');
    expect(at(pod, 'securityContext')).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(at(containerOf(objects), 'securityContext')).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('is not told about other Services of the namespace: POSTERN_PORT of a Service named postern is no setting', async () => {
    const pod = at(deploymentOf(await objectsOf({})), 'spec', 'template', 'spec');
    expect(at(pod, 'enableServiceLinks')).toBe(false);
  });

  it('ends no request under way: the grace period of the Pod covers those of the program', async () => {
    const objects = await objectsOf({ shutdown: { graceSeconds: 7, drainSeconds: 40 } });
    expect(at(deploymentOf(objects), 'spec', 'template', 'spec', 'terminationGracePeriodSeconds')).toBe(57);
    expect(argsOf(objects)).toEqual(expect.arrayContaining(['--grace=7s', '--drain=40s']));
  });

  it('counts no replicas where a HorizontalPodAutoscaler does', async () => {
    const objects = await objectsOf({ autoscaling: { enabled: true } });
    expect(at(deploymentOf(objects), 'spec')).not.toHaveProperty('replicas');
    expect(objects.map(({ kind }) => kind)).toContain('HorizontalPodAutoscaler');
  });

  it('asks for no ClusterRole with rbac.namespaced', async () => {
    const objects = await objectsOf({ rbac: { namespaced: true }, controller: { watchNamespaces: ['shop', 'web'] } });
    expect(objects.filter(({ kind }) => kind.startsWith('ClusterRole'))).toEqual([]);
    const roles = objects.filter(({ kind }) => kind === 'Role').map(({ namespace }) => namespace);
    expect(roles.toSorted()).toEqual(['postern-system', 'shop', 'web']);
    expect(argsOf(objects)).toContain('--namespaces=shop,web');
  });

  it('passes limits on as they are written, numbers without an exponent', async () => {
    const limits = { connections: 1_000_000, bodyBytes: '100Mi', headTimeout: '5s', memory: '85%', loopDelay: 'off' };
    const args = argsOf(await objectsOf({ limits }));
    expect(args).toContain('--limits=bodyBytes=100Mi,connections=1000000,headTimeout=5s,loopDelay=off,memory=85%');
  });

  it('its schema knows the limits that there are, and no other', async () => {
    const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8'));
    expect(Object.keys(schema.properties.limits.properties).toSorted()).toEqual(Object.keys(LIMITS).toSorted());
    await expect(objectsOf({ limits: { conections: 5 } })).rejects.toThrow('conections');
  });

  it('keeps two installations apart: class, Lease and keys have names of their own', async () => {
    const objects = await objectsOf({ fullnameOverride: 'blue', controller: { className: 'blue' } });
    expect(argsOf(objects)).toEqual(
      expect.arrayContaining(['--class=blue', '--lease=postern-blue', '--keys-secret=blue-keys']),
    );
  });
});

describe('the notes after an installation', () => {
  const notes = async (values: unknown): Promise<string> => {
    const args = ['install', 'postern', CHART, '--namespace', 'postern-system', '--dry-run=client', '-f', '-'];
    const ran = await helm(args, JSON.stringify(values));
    expect(ran.stderr).toBe('');
    return ran.stdout.split('\nNOTES:\n')[1] ?? '';
  };

  it('say where it is, what to apply, and how to see it', async () => {
    const text = await notes({ controller: { className: 'blue' } });
    expect(text).toContain('kubectl get psvc,proute,oidc -A');
    expect(text).toContain('label secret okta-client -n NAMESPACE postern.dev/secret=true');
    expect(text.match(/class: blue/g)).toHaveLength(3);
    expect(text).not.toContain('WARNING');
  });

  it('warn of what is unsafe', async () => {
    const text = await notes({ controller: { externalScheme: 'http', urlBackends: ['Any'] } });
    expect(text).toMatch(/WARNING: controller.externalScheme is http/);
    expect(text).toMatch(/WARNING: controller.urlBackends is Any/);
    expect(text).toMatch(/NOTE: controller.hostOwners is empty/);
  });

  it('are to be copied into a shell: what it applies are three objects that are valid and protected', async () => {
    const text = (await notes({})).replaceAll('NAMESPACE', 'shop');
    const command = /^kubectl apply -f - <<'END'$.*?^END$/ms.exec(text)?.[0] ?? '';
    const applied = execFileSync('sh', ['-c', `kubectl() { cat; }\n${command}`], { encoding: 'utf8' })
      // Without a cluster no core Service is known.
      .replace('backendRef: {name: orders, port: 8080}', 'url: http://127.0.0.1:8080');
    const directory = mkdtempSync(join(tmpdir(), 'postern-notes-'));
    try {
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'okta-client', namespace: 'shop' } };
      const given = JSON.stringify({ ...secret, stringData: { 'client-secret': 'x' } });
      writeFileSync(join(directory, 'all.yaml'), `${applied}---\n${given}\n`);
      const ran = await postern(['validate', directory, '--external-scheme', 'https']);
      expect(ran.stdout).toContain('Route shop/orders  Protected by OidcPlugin shop/okta');
      expect(ran.stdout).toContain('4 objects, 0 problems');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('values that are refused', () => {
  const refused: readonly (readonly [string, unknown, string])[] = [
    ['a name that is misspelt', { replicas: 3 }, "additional properties 'replicas' not allowed"],
    ['a name that is misspelt further in', { controller: { hostOwner: [] } }, "'hostOwner' not allowed"],
    ['a host owner without a namespace', { controller: { hostOwners: [{ host: 'a.example' }] } }, 'namespace'],
    ['an unknown address policy', { controller: { urlBackends: ['All'] } }, '/controller/urlBackends'],
    ['Any beside others', { controller: { urlBackends: ['Any', '10.0.0.0/8'] } }, '/controller/urlBackends'],
    ['a key in the values', { sessions: { keys: 'c2VjcmV0' } }, "additional properties 'keys' not allowed"],
    ['a digest that is none', { image: { digest: 'latest' } }, '/image/digest'],
    ['an admin port that is another listener', { admin: { port: 8080 } }, '/admin/port'],
    ['a Service type', { service: { type: 'ExternalName' } }, '/service/type'],
    [
      'a grace period that cuts requests',
      { terminationGracePeriodSeconds: 20 },
      'terminationGracePeriodSeconds is 20, less than shutdown.graceSeconds and shutdown.drainSeconds together (40)',
    ],
    [
      'namespaced without namespaces',
      { rbac: { namespaced: true } },
      'controller.watchNamespaces has to name the namespaces',
    ],
    [
      'a variable twice',
      {
        extraEnv: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
      'extraEnv: A is there twice',
    ],
    [
      'a variable of the chart',
      { extraEnv: [{ name: 'POSTERN_POD_NAME', value: 'x' }] },
      'extraEnv: POSTERN_POD_NAME is there twice, or is one that the chart sets itself',
    ],
    [
      'several Pods without election',
      { controller: { leaderElection: false } },
      'controller.leaderElection is false, but there may be more than one Pod',
    ],
    [
      'a ServiceMonitor where there is no such kind',
      { metrics: { serviceMonitor: { enabled: true } } },
      'the cluster has no kinds of monitoring.coreos.com/v1: install the Prometheus operator first',
    ],
    [
      'a PrometheusRule where there is no such kind',
      { metrics: { prometheusRule: { enabled: true } } },
      'metrics.prometheusRule.enabled is true, but the cluster has no kinds of monitoring.coreos.com/v1',
    ],
    [
      'an alert that is none',
      { metrics: { disableAPICheck: true, prometheusRule: { enabled: true, disabled: ['Slow'] } } },
      'there is no alert Slow; the alerts are PosternDown',
    ],
    [
      'HSTS without https',
      { controller: { https: { enabled: false, hsts: 'max-age=1' } } },
      'controller.https.enabled',
    ],
    ['HSTS that is none', { controller: { https: { hsts: '1 year' } } }, 'hsts'],
    ['PROXY headers of nobody', { controller: { proxyProtocol: ['http'] } }, 'controller.trustedProxies'],
    [
      'a default certificate without https',
      { controller: { defaultCertificate: 'a/b', https: { enabled: false } } },
      'controller.defaultCertificate',
    ],
    [
      'half of a login test',
      { tests: { login: { url: 'https://shop.example.com/' } } },
      'tests.login.redirectsTo has to say where the login begins',
    ],
  ];
  it.each(refused)('%s', async (_, values, message) => {
    await expect(objectsOf(values)).rejects.toThrow(message);
  });

  it('has the kinds of the Prometheus operator where the cluster has them', async () => {
    const values = { metrics: { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true } } };
    const kinds = (await objectsOf(values, '--api-versions', 'monitoring.coreos.com/v1')).map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['ServiceMonitor', 'PrometheusRule']));
  });
});

/** Every path of properties of an object schema; throws where an object with properties takes others. */
function schemaPaths(schema: unknown, under: string): ReadonlySet<string> {
  const { properties, additionalProperties } = record(schema);
  if (properties === undefined) return new Set();
  if (additionalProperties !== false && under !== 'global.')
    throw new Error(`${under} takes properties it doesn't know`);
  const paths = Object.entries(record(properties)).flatMap(([name, inner]) => {
    const path = `${under}${name}`;
    return [path, ...schemaPaths(inner, `${path}.`)];
  });
  return new Set(paths);
}

const prefixes = (path: string): readonly string[] =>
  path.split('.').map((_, at, parts) => parts.slice(0, at + 1).join('.'));

/** Lists of named things (env, ports, volumes) that have a name twice: server-side apply, and so Helm 4, refuses them. */
function twiceNamed(value: unknown): readonly string[] {
  if (Array.isArray(value)) {
    const names = value.map((item) => at(item, 'name')).filter((name) => typeof name === 'string');
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    return [...twice, ...value.flatMap(twiceNamed)];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(twiceNamed) : [];
}
