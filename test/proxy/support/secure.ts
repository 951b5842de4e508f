import { CertificateStore } from '../../../src/proxy/tls/certificate-store.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { Redacted } from '../../../src/resources/redacted.ts';
import { privateAuthority } from '../../support/certificates.ts';
import { offered, type Pair } from '../tls/certificates.ts';

/** Certificates of a listener in tests: `app.example` has one, every other name another. */
export interface TestCertificates {
  readonly store: CertificateStore;
  readonly ca: string;
  readonly fallback: Pair;
  remove(): void;
}

export function testCertificates(): TestCertificates {
  const authority = privateAuthority('test CA');
  const app = authority.issue(['DNS:app.example', 'DNS:www.example']);
  const other = authority.issue(['DNS:b.example']);
  const fallback = authority.issue(['DNS:default.example', 'IP:127.0.0.1', 'DNS:localhost']);
  const store = new CertificateStore({ now: () => performance.now(), onBroken: () => {} });
  store.update(offered({ 'app.example': ['app', app], 'www.example': ['app', app], 'b.example': ['other', other] }), {
    secret: namespacedName('infra', 'default'),
    certificate: fallback.cert,
    key: new Redacted(fallback.key),
  });
  return { store, ca: authority.ca, fallback, remove: () => authority.remove() };
}
