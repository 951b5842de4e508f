import { rootCertificates } from 'node:tls';
import { certificateFaults } from '../proxy/tls/certificate-fault.ts';
import { PEM_CHECKS } from '../proxy/tls/pem-checks.ts';
import { DNS_SUBDOMAIN, namespacedName, namespaceOf, type ObjectKey, objectKey } from '../resources/keys.ts';
import type { PluginParser } from '../resources/parse.ts';
import { isPlain, own } from '../resources/plain.ts';
import { Redacted } from '../resources/redacted.ts';
import type { Parsed, RouteResource } from '../resources/resource.ts';
import type { ClusterMode, PemChecks } from '../routing/options.ts';
import type { PluginRules } from '../routing/plugin-rules.ts';
import type { Verdict } from '../routing/snapshot.ts';
import type { ClusterCheck } from '../settings.ts';
import { clusterPipeline, type Installation } from './pipeline.ts';
import { absence, NOT_CHECKED, NOT_CHECKED_PEM, type NotChecked, type PluginSpecs, standIns } from './stand-ins.ts';
import type { Checked, Checker } from './validation.ts';

type Kind = PluginRules & PluginParser;

/** Valid, whatever it does, of each kind that is known. */
const PLUGIN_SPECS: PluginSpecs = {
  OidcPlugin: { issuer: 'https://not-checked.invalid', clientID: NOT_CHECKED, clientSecretRef: { name: NOT_CHECKED } },
};

/**
 * Checks manifests as they would be in a cluster, without one. What they refer to and the files don't have is taken to be
 * there and in order, and told as not checked.
 */
export function clusterChecker(kinds: readonly Kind[], installation: Installation, cluster: ClusterCheck): Checker {
  const pipeline = clusterPipeline(kinds, installation, () => modeOf(cluster));
  const placed = (value: unknown): unknown => inNamespace(value, cluster.namespace);
  return {
    check: (value) => pipeline.check(placed(value)),
    parse: (value) => pipeline.parse(placed(value)),
    compile(parsed) {
      const found = standIns(parsed, PLUGIN_SPECS, installation.class);
      const replacements = found.objects.flatMap((object) => pipeline.parse(object) ?? []);
      const added = new Set(replacements.map(keyOf));
      const secrets: NotChecked[] = [];
      const lenient = kinds.map((kind) => withSecrets(kind, new Set(parsed.map(keyOf)), secrets));
      const { compileAlone } = clusterPipeline(lenient, installation, () => modeOf(cluster), LENIENT_PEMS);
      const { table, verdicts } = compileAlone([...parsed, ...replacements]);
      const notChecked = [...found.notChecked, ...secrets.filter(({ key }) => !added.has(key))];
      return withoutGuesses({ table, verdicts, notChecked }, parsed, added);
    },
  };
}

/** What stands in has no fault. */
const LENIENT_PEMS: PemChecks = {
  isCertificate: (pem) => pem === NOT_CHECKED_PEM || PEM_CHECKS.isCertificate(pem),
  pairFault: (pair) => (pair.certificate === NOT_CHECKED_PEM ? undefined : PEM_CHECKS.pairFault(pair)),
};

const keyOf = (parsed: Parsed): ObjectKey => (parsed.ok ? parsed.value.key : parsed.key);

function modeOf({ hostOwners, namespaces, urlBackends, clusterDomain }: ClusterCheck): ClusterMode {
  const faultOf = certificateFaults(Date.now);
  return {
    kind: 'Cluster',
    hostOwners,
    manyNamespaces: namespaces?.length !== 1,
    incomplete: false,
    urlBackends,
    clusterDomain,
    // Which one it is isn't known here: no object can have this name.
    keysSecret: namespacedName('', ''),
    certificateFault: (certificate, key) => (certificate === NOT_CHECKED_PEM ? undefined : faultOf(certificate, key)),
  };
}

/** As `kubectl apply -n` would. */
function inNamespace(value: unknown, namespace: string): unknown {
  const metadata = own(value, 'metadata');
  if (!isPlain(value) || !isPlain(metadata) || own(metadata, 'namespace') !== undefined) return value;
  return { ...value, metadata: { ...metadata, namespace } };
}

/** A kind that finds in Secrets that aren't `there` whatever it asks for. */
function withSecrets(kind: Kind, there: ReadonlySet<ObjectKey>, notChecked: NotChecked[]): Kind {
  return {
    ...kind,
    compile(resource, context) {
      return kind.compile(resource, {
        ...context,
        secret(name, key, path) {
          const to = { kind: 'Secret', name: namespacedName(namespaceOf(resource.name), name) };
          if (there.has(objectKey(to.kind, to.name)) || !DNS_SUBDOMAIN.test(name))
            return context.secret(name, key, path);
          const known = notChecked.some((one) => one.key === resource.key && one.problem.path.join() === path.join());
          if (!known) notChecked.push(absence(resource.key, path, to));
          // Of authorities a kind looks at the certificates; of everything else only that it is a text.
          const text = path.at(-1) === 'caRef' ? (rootCertificates[0] ?? NOT_CHECKED) : NOT_CHECKED;
          return { ok: true, value: new Redacted(text) };
        },
      });
    },
  };
}

/** What only a stand-in says is nothing to be told. */
function withoutGuesses(checked: Checked, parsed: readonly Parsed[], added: ReadonlySet<ObjectKey>): Checked {
  const routes = new Map(
    parsed.flatMap((one) => (one.ok && one.value.kind === 'Route' ? [[one.value.key, one.value] as const] : [])),
  );
  const verdicts = new Map<ObjectKey, Verdict>();
  const notChecked = [...checked.notChecked];
  for (const [key, verdict] of checked.verdicts) {
    if (added.has(key)) continue;
    const route = routes.get(key);
    const guessed = route !== undefined && isGuarded(route, added);
    const open = route !== undefined && added.has(objectKey('Service', route.service));
    // Its Service may name a plugin for it.
    const missing = open ? verdict.problems.filter(({ reason }) => reason === 'AccessMissing') : [];
    for (const problem of missing) notChecked.push({ key, problem });
    verdicts.set(key, {
      ...verdict,
      problems: verdict.problems.filter((problem) => !missing.includes(problem)),
      redirectURIs: guessed ? [] : verdict.redirectURIs,
    });
  }
  return { ...checked, verdicts, notChecked };
}

const isGuarded = ({ plugins }: RouteResource, added: ReadonlySet<ObjectKey>): boolean =>
  plugins.some(({ kind, name }) => added.has(objectKey(kind, name)));
