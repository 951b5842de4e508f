import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { clusterPipeline } from '../../src/cli/pipeline.ts';
import { PLUGIN_KINDS } from '../../src/plugins/kinds.ts';
import { parsedObjects } from '../../src/routing/changes.ts';
import type { Compiled, Verdict } from '../../src/routing/snapshot.ts';
import { finish } from '../../src/routing/steps.ts';
import { CLUSTER, clusterSecret } from '../routing/cluster.ts';

const EXAMPLES = 'manifests/examples';
const providers = globSync(`${EXAMPLES}/*/route.yaml`)
  .map((path) => basename(path.slice(0, -'/route.yaml'.length)))
  .filter((name) => name !== 'demo')
  .sort();

const documents = (file: string): readonly unknown[] =>
  parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS());

/** As the README of an example says: its files, the workload, and the two Secrets. */
function compileExample(name: string, change: (text: string) => string = (text) => text): Compiled {
  const { parse, compile } = clusterPipeline(
    PLUGIN_KINDS,
    { class: 'postern', external: { scheme: 'https', port: 443 }, identityHeaders: [] },
    () => ({ ...CLUSTER, manyNamespaces: false, urlBackends: { kind: 'Public' } }),
  );
  const route = parseAllDocuments(change(readFileSync(`${EXAMPLES}/${name}/route.yaml`, 'utf8')));
  const objects = [
    ...documents(`${EXAMPLES}/workload.yaml`),
    ...documents(`${EXAMPLES}/${name}/login.yaml`),
    ...route.map((document) => document.toJS()),
    clusterSecret(`web/${name}-client`, { 'client-secret': 'a-long-secret' }, { labelled: true }),
    clusterSecret('web/app-tls', { 'tls.crt': 'certificate', 'tls.key': 'key' }, { type: 'kubernetes.io/tls' }),
  ];
  return finish(compile(parsedObjects(objects.flatMap((object) => parse(object) ?? []))));
}

const verdict = ({ verdicts }: Compiled, kind: string, name: string): Verdict => {
  const found = [...verdicts.values()].find(({ key }) => key === `${kind}/web/${name}`);
  if (found === undefined) throw new Error(`no verdict on ${kind} web/${name}`);
  return found;
};

describe('examples of providers', () => {
  it('are those that the documentation promises', () => {
    expect(providers).toEqual(['auth0', 'dex', 'entra-id', 'google', 'keycloak', 'okta']);
  });

  describe.each(providers)('%s', (name) => {
    it('is accepted whole, without a warning', () => {
      const compiled = compileExample(name);
      for (const { key, problems, warnings } of compiled.verdicts.values())
        expect({ key, problems, warnings }).toEqual({ key, problems: [], warnings: [] });
      const route = verdict(compiled, 'Route', 'web');
      expect(route.exposure).toBe('Protected');
      expect(route.authorization).toBe('Rules');
      expect(route.redirectURIs).toEqual([`https://app.example.com/_oidc/${name}/callback`]);
      expect(verdict(compiled, 'OidcPlugin', name).routes).toBe(1);
    });

    it('has a README whose files and names exist', () => {
      const text = readFileSync(`${EXAMPLES}/${name}/README.md`, 'utf8');
      const paths = [...text.matchAll(/kubectl apply -f (\S+?)`/g)].map(([, path]) => path ?? '');
      expect(paths).toEqual([`${EXAMPLES}/workload.yaml`, `${EXAMPLES}/${name}/`]);
      for (const path of paths) expect(existsSync(path)).toBe(true);
      const links = [...text.matchAll(/\]\(([^)#:\s]+)\)/g)].map(([, to]) => to ?? '');
      for (const link of links) expect(existsSync(join(EXAMPLES, name, link))).toBe(true);
      expect(text).toContain(`create secret generic ${name}-client --from-literal=client-secret=`);
      expect(text).toContain(`label secret ${name}-client postern.dev/secret=true`);
      expect(text).toContain(`oidc/${name} proute/web`);
    });
  });

  it('say that a login at Google alone keeps nobody out, where their rule is taken away', () => {
    const compiled = compileExample('google', (text) => text.slice(0, text.indexOf('  authorization:')));
    expect(verdict(compiled, 'Route', 'web').warnings.map(({ reason }) => reason)).toEqual(['OpenSignUp']);
  });
});
