import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { helm } from './chart/helm.ts';

/**
 * `npm run manifests` renders the chart to manifests/install/postern.yaml, for `kubectl apply -f`;
 * `npm run manifests -- --check` only says whether it differs, and exits with 1 if it does.
 */
const ROOT = join(import.meta.dirname, '..');
export const MANIFEST = join(ROOT, 'manifests', 'install', 'postern.yaml');
const NAMESPACE = 'postern-system';

/** kubectl reads YAML 1.1, where `no` and `on` are no texts. */
const KUBECTL = { version: '1.1' } as const;

const HEADER = '# Written by npm run manifests from charts/postern; changes here are lost.\n';

/** It runs under the strictest of the Pod Security Standards, so its namespace asks for it. */
const NAMESPACE_OBJECT = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};

/** The text of manifests/install/postern.yaml as it has to be. Throws where the chart can't be rendered. */
export async function renderManifest(): Promise<string> {
  const chart = join(ROOT, 'charts', 'postern');
  const options = ['--namespace', NAMESPACE, '--include-crds', '--skip-tests'];
  const ran = await helm(['template', 'postern', chart, ...options]);
  if (ran.code !== 0) throw new Error(ran.stderr);
  const objects = parseAllDocuments(ran.stdout, KUBECTL)
    .map((document): unknown => document.toJS())
    .filter((object) => object !== null)
    .map(withoutHelm);
  const all = [NAMESPACE_OBJECT, ...objects];
  return (
    HEADER +
    all
      .map((object) => `---\n${stringify(object, { ...KUBECTL, lineWidth: 0, aliasDuplicateObjects: false })}`)
      .join('')
  );
}

/** What says that Helm manages an object is not true of what kubectl applies. */
function withoutHelm(object: unknown): unknown {
  return JSON.parse(JSON.stringify(object), (key, value: unknown) =>
    key === 'helm.sh/chart' || (key === 'app.kubernetes.io/managed-by' && value === 'Helm') ? undefined : value,
  );
}

export function writtenManifest(): string {
  try {
    return readFileSync(MANIFEST, 'utf8');
  } catch {
    return '';
  }
}

if (import.meta.main) {
  const wanted = await renderManifest();
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(MANIFEST), { recursive: true });
    writeFileSync(MANIFEST, wanted);
  } else if (writtenManifest() !== wanted) {
    process.stderr.write('manifests/install/postern.yaml is not what the chart says: run npm run manifests\n');
    process.exitCode = 1;
  }
}
