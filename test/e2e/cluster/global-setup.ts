import type { TestProject } from 'vitest/node';
import { privateAuthority } from '../../support/certificates.ts';
import { type Prepared, prepared } from './support/environment.ts';
import { apply } from './support/kubernetes.ts';
import { keepLogs } from './support/logs.ts';
import { clientSecret, providerCa, secondSecret } from './support/objects.ts';
import { PROVIDER_NAMES, startPeers } from './support/peers.ts';
import { run } from './support/run.ts';
import { HOSTS, NAMESPACES } from './support/site.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    prepared: Prepared;
    /** PEM of the CA of every certificate in the scenario. */
    ca: string;
    /** Another one than the Secret shop-tls holds, for the same names. */
    renewedCertificate: { readonly key: string; readonly cert: string };
  }
}

/** Certificates and peers; at the end, where E2E_LOGS names a folder, what the cluster says. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const ready = prepared();
  const authority = privateAuthority('a CA for the scenario');
  try {
    const names = [`DNS:${HOSTS.shop}`];
    project.provide('prepared', ready);
    project.provide('ca', authority.ca);
    const shop = authority.issue(names);
    project.provide('renewedCertificate', authority.issue(names));
    await renewSecrets(authority.ca);
    await startPeers(ready.peersImage, authority.issue(PROVIDER_NAMES), shop);
  } finally {
    authority.remove();
  }
  return () => keepLogs('end');
}

/** Of a run before this one in the same cluster, whose steps may be run one by one. */
async function renewSecrets(ca: string): Promise<void> {
  const before = await run('kubectl', ['get', 'secret', 'okta-client', 'second-client', '-n', NAMESPACES.shop]);
  if (before.code === 0) await apply(clientSecret(), secondSecret(), providerCa(ca));
}
