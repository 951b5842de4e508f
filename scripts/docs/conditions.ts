import type { Reason } from '../../src/resources/problem.ts';
import { table } from './fields.ts';

interface Words {
  /** Condition types and columns where it stands. */
  readonly on: string;
  readonly means: string;
  readonly todo: string;
}

/** Every reason of a problem; the compiler says where one is missing here. */
const REASONS: Readonly<Record<Exclude<Reason, WarningReason>, Words>> = {
  Invalid: words(
    'Accepted; the others where this one is False',
    'A field is missing, unknown, or has a value that it can’t have. Of the other conditions: they are looked at afterwards.',
    'What the message says of each field.',
  ),
  Duplicate: words('Accepted', 'Several objects of one kind, namespace and name (files only).', 'Keep one.'),
  Conflicted: words(
    'Accepted',
    'An older Route claims the same host, path, headers, query parameters and method, or an older plugin the same path on a host.',
    'Give it another place, or delete one of the two; the message names the winner.',
  ),
  UnsupportedValue: words('Accepted', 'Well formed, and not possible together.', 'What the message says.'),
  HostNotAllowed: words(
    'Accepted',
    'The host belongs to another namespace, which the message names.',
    'Another host, or an entry in `--host-owner`.',
  ),
  HostNotReserved: words(
    'Accepted; also a condition of its own',
    'As reason of Accepted: a wildcard host or `*` without an entry. As a condition: the host is this namespace’s only as long as a Route of it names it.',
    'An entry in `--host-owner`.',
  ),
  Pending: words(
    'Accepted; ProviderReady',
    'Of Accepted: some namespace was not read yet, so that nobody knows whose the host is. Of ProviderReady: the provider has not answered yet.',
    'Wait, see the log for a namespace that can’t be read, or write an entry in `--host-owner`.',
  ),
  AccessMissing: words('Accepted', 'Nothing says who may come in.', '`plugins`, or `access: Public`.'),
  AccessAmbiguous: words(
    'Accepted',
    '`access: Public` beside a plugin, of the Route or of its Service.',
    'Take one of the two away.',
  ),
  ReservedPath: words(
    'Accepted',
    'A path below `/_oidc/`, or a path of a plugin that others serve.',
    'Another path; for plugins best the default.',
  ),
  TooManyExpressions: words(
    'what is refused; Programmed says `PartiallyProgrammed` or `Overridden`',
    'The regular expressions of a host cost more than a request may; all of them are closed.',
    '`Prefix` or `Exact` paths instead of some, or smaller expressions.',
  ),
  BackendNotFound: words('ResolvedRefs', 'No such Service, ours or the core one.', 'Create it, or correct the name.'),
  BackendPortNotFound: words(
    'ResolvedRefs',
    'The core Service has no such port.',
    'One of the ports that the message lists.',
  ),
  ServiceInvalid: words(
    'ResolvedRefs',
    'The Service that the Route names is not accepted, or what its `tls` names can’t be used.',
    'Correct that one first.',
  ),
  PluginNotFound: words('ResolvedRefs', 'No such plugin, or no such kind.', 'Create it, or correct the name.'),
  PluginInvalid: words('ResolvedRefs', 'The plugin that is named can’t be used as it is.', 'Correct that one first.'),
  SecretNotFound: words(
    'ResolvedRefs; CertificateReady',
    'No such Secret in the namespace.',
    'Create it, or correct the name.',
  ),
  SecretKeyMissing: words(
    'ResolvedRefs; CertificateReady',
    'The Secret has no such key.',
    'Add it, or name another one.',
  ),
  SecretInvalid: words('ResolvedRefs; CertificateReady', 'What the key holds can’t be used.', 'What the message says.'),
  SecretNotLabelled: words(
    'ResolvedRefs',
    'The Secret does not say that plugins and Services may use it.',
    '`kubectl label secret NAME postern.dev/secret=true`',
  ),
  InvalidSecretType: words(
    'CertificateReady',
    'The Secret is not of type `kubernetes.io/tls`.',
    'One that is; cert-manager writes such.',
  ),
  RefNotPermitted: words(
    'ResolvedRefs',
    'What is named belongs to another namespace, which doesn’t grant it.',
    'The ReferenceGrant that the message shows, or an object of this namespace.',
  ),
  AddressNotAllowed: words(
    'ResolvedRefs; Accepted; ProviderReady',
    'An address that the installation doesn’t reach.',
    '`--url-backends` or `--provider-addresses`, or `backendRef` instead of `url`.',
  ),
  CertificateInvalid: words(
    'CertificateReady',
    'The certificate or its key can’t be shown; the one from before is.',
    'Have it issued again.',
  ),
  CertificateOverridden: words(
    'CertificateReady',
    'An older Route’s certificate is shown for the host.',
    'One certificate for each host.',
  ),
};

/** What is no problem of an object, or of another than this one; a test says where one is missing. */
const OTHERS: Readonly<Record<string, Words>> = {
  DiscoveryFailed: words(
    'ProviderReady',
    'The discovery document or the key set can’t be had; the message says which URL and what came back.',
    'See whether the provider is there and can be reached from the cluster; it is asked again by itself.',
  ),
  IssuerMismatch: words(
    'ProviderReady',
    'The provider names itself otherwise than `spec.issuer` does.',
    'The issuer of the message, to the letter.',
  ),
  TLSVerificationFailed: words(
    'ProviderReady',
    'Its certificate comes from no CA that is trusted, or is for another name.',
    '`tls.caRef`, where it has a CA of its own.',
  ),
  ProxyFailed: words(
    'ProviderReady',
    'The egress proxy can’t be reached, wants a password, or refuses.',
    '`http.proxy` of the plugin, or `HTTPS_PROXY` of Postern.',
  ),
  NoUsableKeys: words(
    'ProviderReady',
    'No key of the provider verifies a signature by one of `allowedAlgs`.',
    'An algorithm that the provider signs with in `allowedAlgs`.',
  ),
  NotUsed: words('ProviderReady', 'No Protected Route names the plugin, so nobody asks its provider.', 'Nothing.'),
  StartFailed: words(
    'ProviderReady',
    'The plugin could not be started: a bug. Its Routes are refused.',
    'See the log.',
  ),
  StatusFailed: words('ProviderReady', 'The plugin could not say how it is: a bug.', 'See the log.'),
  PartiallyProgrammed: words(
    'Programmed',
    'Some of its places are another Route’s, which the message names.',
    'Give those other places, or delete one of the two.',
  ),
  Overridden: words(
    'Programmed',
    'All of its places are other Routes’, which the message names.',
    'Give it other places, or delete it.',
  ),
};

/** What makes nobody wait and denies nothing: docs/exposure.md tells of them. */
type WarningReason =
  | 'Closed'
  | 'OpensProtectedPath'
  | 'DiffersOnlyByCase'
  | 'DiffersOnlyBySlash'
  | 'OpenSignUp'
  | 'NoEffect'
  | 'NeverAsked'
  | 'InsecureSetting';

const TYPES: readonly (readonly string[])[] = [
  ['`Accepted`', 'all three', 'The object is valid, and nothing conflicts with it.'],
  ['`ResolvedRefs`', 'all three', 'Everything that it refers to exists, is valid, and is permitted.'],
  [
    '`ProviderReady`',
    'OidcPlugin',
    'The provider answers as it should. Decides about new logins only, never about what is open.',
  ],
  [
    '`CertificateReady`',
    'Route with `tls`',
    'The certificate is shown for its hosts. Decides nothing about what is open.',
  ],
  [
    '`Programmed`',
    'all three',
    'It is in the table that is served. `PartiallyProgrammed`: some of its places are another Route’s; `Overridden`: all of them.',
  ],
  ['`Ready`', 'all three', 'All of the above; its reason is that of the first that fails.'],
  [
    '`OpensProtectedPath`',
    'Route',
    'Only while true: a Public Route lies under or beside a path that a plugin guards.',
  ],
  ['`HostNotReserved`', 'Route', 'Only while true: its hosts have no entry in `--host-owner`.'],
  ['`Insecure`', 'OidcPlugin', 'Only while true: something below `insecure` is set.'],
];

export const conditions = (): string => `# Conditions and reasons

\`kubectl get psvc,proute,oidc\` shows \`Ready\` and the reason; \`kubectl describe\` shows the rest, with what to do in the message.
\`kubectl wait --for=condition=Ready\` works on every kind. A Route depends on \`Accepted\` and \`ResolvedRefs\` alone: where one of
them is not True, its place is refused with 503.

## Conditions

${table(['type', 'on', 'True means'], TYPES)}
## Reasons

${table(
  ['reason', 'of', 'means', 'to do'],
  Object.entries({ ...REASONS, ...OTHERS })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, { on, means, todo }]) => [`\`${reason}\``, on, means, todo]),
)}
A condition that is True has its own name for a reason, and so have the unusual ones. What only warns is told in
[exposure.md](exposure.md), more about providers in [providers.md](providers.md).
`;

function words(on: string, means: string, todo: string): Words {
  return { on, means, todo };
}
