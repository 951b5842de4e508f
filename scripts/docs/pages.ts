import { SERVE, VALIDATE, variableOf } from '../../src/cli/options.ts';
import { PLUGIN_KINDS } from '../../src/plugins/kinds.ts';
import { routeSpec } from '../../src/resources/route.ts';
import { serviceSpec } from '../../src/resources/service.ts';
import { structural } from '../crd/structural.ts';
import { conditions } from './conditions.ts';
import { fieldTable, plain, table } from './fields.ts';
import { limits } from './limits.ts';

/** Pages of docs/ that are written from the code, by the name of their file. */
export function pages(): ReadonlyMap<string, string> {
  return new Map([
    ['objects.md', objects()],
    ['settings.md', settings()],
    ['limits.md', `${WRITTEN}${limits()}`],
    ['conditions.md', `${WRITTEN}\n${conditions()}`],
  ]);
}

const WRITTEN = '<!-- Written by scripts/docs.ts from the code; changes here are lost. -->\n';

const KINDS = [
  {
    kind: 'Service',
    schema: serviceSpec,
    about:
      'Where requests go. A Service publishes nothing by itself: that is what Routes do. It has exactly one of `url` and `backendRef`; without a cluster, `url`.',
  },
  {
    kind: 'Route',
    schema: routeSpec,
    about:
      'Which requests go to a Service, and what guards them: `plugins`, or `access: Public`, or the plugins of its Service ([exposure.md](exposure.md)). What `authorization` means is in [authorization.md](authorization.md), what a Route changes of requests and responses in [filters.md](filters.md).',
  },
  ...PLUGIN_KINDS.map(({ kind, schema }) => ({
    kind,
    schema,
    about:
      'A login with OpenID Connect, for the Routes and Services that name it ([login.md](login.md)). It has exactly one of `clientID` and `clientIDRef`, and `clientSecretRef` unless `tokenEndpointAuthMethod` is `none`.',
  })),
];

function objects(): string {
  const kinds = KINDS.map(({ kind, schema, about }) => `## ${kind}\n\n${about}\n\n${fieldTable(structural(schema))}`);
  return `${WRITTEN}
# The objects, field by field

Every object has \`apiVersion: postern.dev/v1alpha1\`, \`kind\`, \`metadata\` with \`name\` and \`namespace\` (\`default\` where a
file says none), and \`spec\` with the fields below. A field that isn't here is an error, and an object with an error closes
its place ([exposure.md](exposure.md)). References are to objects of the same namespace. \`postern validate\` says of each
mistake where it is and what to write.

A **duration** is one to four numbers with a unit: \`10s\`, \`1h30m\`, \`500ms\`; units are \`h\`, \`m\`, \`s\` and \`ms\`. Time-outs of
Services and Routes are from 1ms to 24h. **required** of a field inside another one means: where that one is written.

${kinds.join('\n')}
## Secret

The core object, \`apiVersion: v1\`: \`stringData\` holds text, \`data\` the same in base64. What is in it never shows in a log, an
error, a metric or the debug view. How a key is named in a reference: \`{name: okta-client, key: client-secret}\`.
`;
}

function settings(): string {
  const rows = (options: typeof SERVE) =>
    options.map(({ flag, value, fallback, help, shell }) => [
      `\`--${flag}${value === undefined ? '' : ` ${value}`}\``,
      `\`${variableOf(flag)}\``,
      fallback === undefined ? '' : /\s/.test(fallback) ? plain(fallback) : `\`${fallback}\``,
      plain(help) + (shell === undefined ? '' : ` To make one: \`${shell}\``),
    ]);
  const head = ['flag', 'variable', 'default', ''];
  return `${WRITTEN}
# Settings

Every flag is also an environment variable; the flag wins, and an empty variable is an unset one. Everything that is wrong
with them is listed at once, and the process ends with exit code 2. A variable that begins with \`POSTERN_\` and isn't here is
an error too, so that a misspelt one isn't ignored. Durations are written as \`30s\`, \`1m30s\` or \`500ms\`.

## \`postern serve\`

The objects come from a cluster (\`--kubernetes\`, the default in a Pod) or from a directory (\`--files\`); one of the two is
needed. Defaults differ where it says so. The variable \`KUBECONFIG\` is read where \`--kubeconfig\` isn't written; \`HTTPS_PROXY\`,
\`HTTP_PROXY\` and \`NO_PROXY\` say how providers are called.

${table(head, rows(SERVE.filter(({ only }) => only === undefined)))}
### With \`--files\`

${table(head, rows(SERVE.filter(({ only }) => only === 'files')))}
### With \`--kubernetes\`

${table(head, rows(SERVE.filter(({ only }) => only === 'kubernetes')))}
## \`postern validate\`

Redirect URIs are printed as they have to be registered, so say here what you say to \`serve\`: \`--external-scheme\`,
\`--external-port\`.

${table(head, rows(VALIDATE.filter(({ only }) => only === undefined)))}
### With \`--kubernetes\`

Manifests are checked as a gateway in a cluster would see them, without asking any cluster ([kubernetes.md](kubernetes.md)).

${table(head, rows(VALIDATE.filter(({ only }) => only === 'kubernetes')))}`;
}
