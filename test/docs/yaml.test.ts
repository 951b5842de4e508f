import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { at, objectsOf, record, render } from '../chart/render.ts';
import { postern } from '../cli/run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];
const EXAMPLE = 'manifests/examples/okta';

interface Block {
  readonly page: string;
  readonly text: string;
  readonly documents: readonly unknown[];
}

const blocks: readonly Block[] = PAGES.flatMap((page) =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```ya?ml\n([\s\S]*?)^```/gm)].map(([, text = '']) => {
    const parsed = parseAllDocuments(text);
    for (const { errors } of parsed) if (errors.length > 0) throw new Error(`${page}: ${errors.join()}`);
    return { page, text, documents: parsed.map((document): unknown => document.toJS()) };
  }),
);
/** The objects of an example, anew each time. */
const example = (): readonly unknown[] =>
  ['route.yaml', 'login.yaml'].flatMap((file) =>
    parseAllDocuments(readFileSync(join(ROOT, EXAMPLE, file), 'utf8')).map((document): unknown => document.toJS()),
  );
const groupOf = (document: unknown): string => String(at(document, 'apiVersion') ?? 'none').replace(/\/.*/, '');
/** The one block with an object of that group; `page`: where it is. */
function blockOf(group: string, page: string): Block {
  const found = blocks.filter(
    (block) => block.page === page && block.documents.some((each) => groupOf(each) === group),
  );
  const [one] = found;
  if (one === undefined || found.length > 1) throw new Error(`${page} has ${found.length} blocks of ${group}`);
  return one;
}

describe('YAML in the documentation', { timeout: 120_000 }, () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'postern-yaml-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  };
  const validate = async (...flags: readonly string[]): Promise<unknown> => {
    const ran = await postern(['validate', '--kubernetes', directory, '--output', 'json', ...flags]);
    expect(ran.stderr).toBe('');
    return JSON.parse(ran.stdout);
  };

  it('is of the groups that are looked at here, and values of the chart', () => {
    const groups = new Set(blocks.flatMap(({ documents }) => documents.map(groupOf)));
    expect([...groups].toSorted()).toEqual([
      'cert-manager.io',
      'gateway.networking.k8s.io',
      'none',
      'postern.dev',
      'v1',
    ]);
  });

  it('has whole objects of ours for the directory of files alone, which another test validates', () => {
    const ours = blocks.filter(({ documents }) => documents.some((each) => groupOf(each) === 'postern.dev'));
    expect(ours.map(({ page }) => page)).toEqual(['README.md']);
  });

  it('has parts of our objects that `postern validate` takes in their place', async () => {
    const kinds = new Map([
      ['docs/authorization.md', 'Route'],
      ['docs/filters.md', 'Route'],
      ['docs/providers.md', 'OidcPlugin'],
      ['docs/upstreams.md', 'Service'],
    ]);
    const parts = blocks.filter(({ page }) => kinds.has(page));
    expect(parts.length).toBeGreaterThanOrEqual(4);
    for (const { page, text, documents } of parts) {
      const [part] = documents;
      const kind = kinds.get(page);
      const bare = page === 'docs/authorization.md';
      const fields = bare ? part : at(part, 'spec');
      expect([text, Object.keys(record(part))]).toEqual([text, [bare ? 'authorization' : 'spec']]);
      const objects = example().map((each) =>
        at(each, 'kind') === kind
          ? { ...record(each), spec: { ...record(at(each, 'spec')), ...record(fields) } }
          : each,
      );
      write('all.yaml', objects.map((each) => JSON.stringify(each)).join('\n---\n'));
      const said = await validate();
      expect([text, at(said, 'ok'), at(said, 'problems')]).toEqual([text, true, []]);
    }
  });

  it('grants with a ReferenceGrant what a Route of the other namespace then refers to', async () => {
    const { text } = blockOf('gateway.networking.k8s.io', 'docs/kubernetes.md');
    write('grant.yaml', text);
    const moved = JSON.stringify(example().find((each) => at(each, 'kind') === 'OidcPlugin')).replace(
      '"web"',
      '"identity"',
    );
    const rest = example().filter((each) => at(each, 'kind') !== 'OidcPlugin');
    const referring = JSON.stringify(rest).replace('"kind":"OidcPlugin"', '"kind":"OidcPlugin","namespace":"identity"');
    write('login.yaml', moved);
    write(
      'route.yaml',
      JSON.parse(referring)
        .map((each: unknown) => JSON.stringify(each))
        .join('\n---\n'),
    );
    const open = async (): Promise<readonly unknown[]> => {
      const said = await validate();
      return [at(said, 'notChecked'), at(said, 'problems')]
        .flat()
        .filter((each) => at(each, 'object') === 'Route web/web')
        .map((each) => `${at(each, 'field')} ${at(each, 'reason')}`);
    };
    expect(await open()).toEqual(['spec.tls.secretRef SecretNotFound']);
    write('grant.yaml', text.replace('namespace: web}', 'namespace: another}'));
    expect(await open()).toContain('spec.plugins[0] RefNotPermitted');
  });

  it('has a Certificate of cert-manager that writes the Secret, for the host, that the Routes of the examples name', () => {
    const { documents } = blockOf('cert-manager.io', 'docs/kubernetes.md');
    const [certificate, ...more] = documents;
    expect(more).toEqual([]);
    // The fields of cert-manager.io/v1 that it has to have, and none that isn't one.
    expect(certificate).toEqual({
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: expect.any(String), namespace: 'web' },
      spec: {
        secretName: expect.any(String),
        dnsNames: expect.any(Array),
        issuerRef: { kind: expect.stringMatching(/^(Cluster)?Issuer$/), name: expect.any(String) },
      },
    });
    const route = example().find((each) => at(each, 'kind') === 'Route');
    expect(at(certificate, 'metadata', 'namespace')).toBe(at(route, 'metadata', 'namespace'));
    expect(at(certificate, 'spec', 'secretName')).toBe(at(route, 'spec', 'tls', 'secretRef', 'name'));
    expect(at(certificate, 'spec', 'dnsNames')).toEqual(at(route, 'spec', 'hosts'));
  });

  it('has values that the schema of the chart takes', async () => {
    const values = blocks.filter(
      ({ page, documents }) => page === 'docs/kubernetes.md' && documents.every((each) => groupOf(each) === 'none'),
    );
    expect(values.length).toBeGreaterThanOrEqual(2);
    for (const { page, text, documents } of values) {
      for (const each of documents)
        expect([page, text, await render([], each)]).toMatchObject([page, text, { ok: true }]);
    }
  });

  it('gives external-dns the names on the Service of the gateway, as an annotation that it reads', async () => {
    const values = blocks.flatMap(({ documents }) => documents).find((each) => at(each, 'service', 'annotations'));
    const service = (await objectsOf(values)).find(({ kind, name }) => kind === 'Service' && name === 'postern');
    const names = at(service?.object, 'metadata', 'annotations', 'external-dns.alpha.kubernetes.io/hostname');
    expect(names).toMatch(/^[a-z0-9.-]+(,[a-z0-9.-]+)*$/);
    expect(at(service?.object, 'spec', 'type')).toBe('LoadBalancer');
  });
});
