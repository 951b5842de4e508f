import { type ChartValue, chartValues } from './values-table.ts';

/** README of the chart: how to install it, and every value of values.yaml. Throws where a value has no comment. */
export function chartReadme(valuesText: string): string {
  const { values, silent } = chartValues(valuesText);
  if (silent.length > 0) throw new Error(`values.yaml: write "# -- ..." above ${silent.join(', ')}`);
  return `${INTRODUCTION}\n${HEAD}\n${values.map(row).join('\n')}\n`;
}

const INTRODUCTION = `<!-- Written by \`npm run chart\` from values.yaml; changes here are lost. -->

# postern

A login in front of services on Kubernetes: an OpenID Connect gateway configured by three kinds of object.

\`\`\`sh
helm install postern charts/postern --namespace postern-system --create-namespace --wait
helm test postern --namespace postern-system
\`\`\`

The chart brings the CRDs. Helm installs them once and leaves them as they are from then on, so before an upgrade:

\`\`\`sh
helm show crds charts/postern | kubectl apply --server-side --force-conflicts -f -
helm upgrade postern charts/postern --namespace postern-system --wait
\`\`\`

\`helm uninstall\` leaves the CRDs, your objects and the Secret of the session keys.

## What it takes

The image is 140 MB, of which Postern is 5 and the rest Node.js with the libraries under it: no shell, no package manager. A Pod is
ready a few seconds after its start, takes 120 MB of memory where there is little to serve, and runs under the Pod Security
Standard \`restricted\`, with nothing of its file system writable.

## What it may do in the cluster

Without \`rbac.namespaced\`, Postern reads the three kinds, core Services, EndpointSlices and Secrets of every namespace. It asks
only for Secrets with the label \`postern.dev/secret=true\` and those of type \`kubernetes.io/tls\`, but a role can't be limited to
labels: who takes over the process can read every Secret. Where that is too much, set \`rbac.namespaced\` and name the namespaces
in \`controller.watchNamespaces\`; then there are Roles only. It writes nothing but the status of the three kinds, Events, its Lease,
and the Secret of its session keys.

## Values
`;

const HEAD = '| value | default |  |\n|---|---|---|';

const row = ({ path, fallback, about }: ChartValue): string =>
  `| \`${path}\` | \`${cell(fallback)}\` | ${cell(about).replaceAll('<', '&lt;')} |`;

const cell = (text: string): string => text.replaceAll('|', '\\|');
