import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helm } from '../../scripts/chart/helm.ts';
import { MANIFEST } from '../../scripts/manifests.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { apiserver } from '../support/parts.ts';
import { CHART, CI_VALUES, render } from './render.ts';

describe.skipIf(apiserver.missing)(`the chart on an API server ${apiserver.why}`, () => {
  let server: ApiServer;

  beforeAll(async () => {
    server = await startApiServer();
    for (const name of ['postern-system', 'shop', 'apps', 'monitoring'])
      await server.kubectl(['create', 'namespace', name]);
  });
  afterAll(() => server.stop());

  it.each(CI_VALUES)('%s: every object is accepted as it is', async (file) => {
    const rendering = await render(['-f', join(CHART, file)]);
    if (!rendering.ok) throw new Error(rendering.message);
    // Of the Prometheus operator the API server knows nothing.
    const own = rendering.objects.filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.coreos.com'));
    const items = own.map(({ object }) => object);
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const ran = await server.kubectl(
      ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'],
      text,
    );
    expect(ran.stderr).toBe('');
    expect(ran.stdout.trim().split('\n')).toHaveLength(own.length);
  });

  it('CRDs that Helm installed become those of the next chart by the line that the notes and the README give', async () => {
    const all = ['--kubeconfig', server.kubeconfig, '--namespace', 'postern-system'];
    const installed = await helm(['install', 'postern', CHART, ...all]);
    expect(installed.stderr).toBe('');
    const line = /helm show crds CHART \| kubectl (apply .+)$/m.exec(installed.stdout)?.[1] ?? '';
    expect(readFileSync(join(CHART, 'README.md'), 'utf8')).toContain(
      `helm show crds charts/postern | kubectl ${line}\n`,
    );
    const next = (await helm(['show', 'crds', CHART])).stdout.replaceAll(/^( +description:) .*$/gm, '$1 Another.');
    const ran = await server.kubectl(line.split(' '), next);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout.match(/serverside-applied/g)).toHaveLength(3);
    const now = await server.call('GET', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/routes.postern.dev');
    expect(JSON.stringify(now.body)).toContain('"description":"Another."');
    await helm(['uninstall', 'postern', ...all]);
  });

  it('manifests/install/postern.yaml is accepted, by either kind of apply, and once more', async () => {
    for (const kind of [[], [], ['--server-side', '--force-conflicts']]) {
      const ran = await server.kubectl(['apply', ...kind, '-f', MANIFEST]);
      expect(`${ran.stderr}${ran.stdout}`).toMatch(/deployment.apps\/postern/);
      expect(ran.code).toBe(0);
    }
  });
});
