import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { helm } from '../../scripts/chart/helm.ts';
import { renderManifest } from '../../scripts/manifests.ts';
import { readSettings } from '../../src/settings.ts';
import { documentedCommands, README_WAYS, readmeWay } from '../support/documented.ts';
import { at } from './render.ts';

const README = readFileSync('README.md', 'utf8');
const words = (command: string): readonly string[] => command.split(/\s+/);
const ways = ['helm', 'kubectl', 'kind'] as const;
const installing = ways.flatMap((way) => readmeWay(way).filter((command) => command.startsWith('helm install ')));

describe('the commands of README.md', () => {
  it.each(ways)('are three, for the way with %s', (way) => {
    expect(readmeWay(way)).toHaveLength(3);
  });

  it.each(installing)('Helm takes: %s', async (command) => {
    const [, ...args] = words(command);
    const ran = await helm([...args, '--dry-run=client']);
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toContain('is installed in namespace postern-system');
  });

  it('Helm refuses, with the name of the value, what the chart has not: so the test before this one can fail', async () => {
    const [, ...args] = words(installing[0] ?? '');
    const ran = await helm([...args, '--dry-run=client', '--set', 'image.tagg=dev']);
    expect(ran.stderr).toContain("'tagg' not allowed");
  });

  it('stand in docs/kubernetes.md and the README of the chart as well, with the same words', () => {
    for (const way of ['helm', 'kubectl'] as const)
      expect(documentedCommands('docs/kubernetes.md', README_WAYS[way])).toEqual(readmeWay(way));
    const chart = readFileSync('charts/postern/README.md', 'utf8');
    for (const command of readmeWay('helm').slice(0, 2)) expect(chart).toContain(`\n${command}\n`);
  });

  it('kubectl waits for what the manifest makes', async () => {
    const [apply = '', rollout = ''] = readmeWay('kubectl');
    expect(apply).toBe('kubectl apply -f manifests/install/postern.yaml');
    const [, name, namespace] = / deployment\/(\S+) --namespace (\S+)$/.exec(rollout) ?? [];
    expect(await renderManifest()).toMatch(
      new RegExp(`kind: Deployment\\nmetadata:\\n {2}name: ${name}\\n {2}namespace: ${namespace}\\n`),
    );
  });

  it('kind gets a configuration that publishes the ports which the values name and the README says', () => {
    const [create = '', build = '', install = ''] = readmeWay('kind');
    const config: unknown = parse(readFileSync(words(create).at(-1) ?? '', 'utf8'));
    expect(at(config, 'kind')).toBe('Cluster');
    const mappings = at(config, 'nodes', 0, 'extraPortMappings');
    const published = Array.isArray(mappings) ? mappings.map((mapping) => at(mapping, 'hostPort')) : [];
    const values: unknown = parse(readFileSync(/--values (\S+)/.exec(install)?.[1] ?? '', 'utf8'));
    for (const scheme of ['http', 'https']) {
      const port = at(values, 'service', 'ports', scheme, 'nodePort');
      expect(published).toContain(port);
      expect(README).toContain(`<${scheme}://127.0.0.1:${port}>`);
    }
    expect(at(values, 'controller', 'externalPort')).toBe(at(values, 'service', 'ports', 'https', 'nodePort'));
    const image = /^docker build --tag (\S+) \. && kind load docker-image \1$/.exec(build)?.[1];
    expect(`postern:${/--set image\.tag=(\S+)/.exec(install)?.[1]}`).toBe(image);
  });

  it('npm has every script that they name', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const named = [...README.matchAll(/\bnpm run ([a-z0-9:]+)/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it.each([...README.matchAll(/^npm run postern -- (.+?)(?: +#.*)?$/gm)].map(([, args = '']) => args))(
    'the program takes: %s',
    (args) => {
      const read = readSettings(words(args), false, {});
      expect(read.ok ? [] : read.problems).toEqual([]);
    },
  );
});
