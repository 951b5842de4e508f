import type { Publication } from '../control/control.ts';
import type { PluginLog } from '../plugins/contract.ts';
import { type BrokenCertificate, CertificateStore, type DefaultCertificate } from '../proxy/tls/certificate-store.ts';
import type { NamespacedName } from '../resources/keys.ts';
import type { Parsed, SecretResource } from '../resources/resource.ts';
import type { Snapshot } from '../routing/snapshot.ts';

export interface CertificatesOptions {
  /** `--default-certificate`. */
  readonly fallback: NamespacedName | undefined;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  readonly log: PluginLog;
}

/** What the HTTPS listener shows: the certificates of Routes, and the default one. */
export interface Certificates {
  readonly store: CertificateStore;
  /** All objects as of now: the default one changes without a new table, for no Route names it. */
  look(objects: readonly Parsed[]): void;
  published(publication: Publication): void;
}

const TLS_TYPE = 'kubernetes.io/tls';

export function createCertificates({ fallback, now, log }: CertificatesOptions): Certificates {
  const store = new CertificateStore({ now, onBroken: (broken) => tellBroken(broken, log) });
  let ofRoutes: Snapshot['certificates'] = new Map();
  let shown: SecretResource | undefined;
  let complained: string | undefined;

  const complain = (what: string | undefined): void => {
    if (what !== undefined && what !== complained) log.warn({}, `--default-certificate ${fallback}: ${what}`);
    complained = what;
  };

  return {
    store,
    look(objects) {
      if (fallback === undefined) return;
      const secret = secretOf(objects, fallback);
      // One that is gone or of another type leaves what was shown before.
      const pair = secret === undefined ? undefined : pairOf(secret);
      complain(secret === undefined ? 'there is no such Secret' : pair === undefined ? NO_PAIR : undefined);
      if (secret === shown || secret === undefined || pair === undefined) return;
      shown = secret;
      store.update(ofRoutes, pair);
    },
    published({ snapshot }) {
      if (snapshot.certificates === ofRoutes) return;
      ofRoutes = snapshot.certificates;
      store.update(ofRoutes);
    },
  };
}

const NO_PAIR = `the Secret has to be of type ${TLS_TYPE}, with tls.crt and tls.key`;

function secretOf(objects: readonly Parsed[], name: NamespacedName): SecretResource | undefined {
  for (const object of objects)
    if (object.ok && object.value.kind === 'Secret' && object.value.name === name) return object.value;
  return undefined;
}

function pairOf({ name, type, data }: SecretResource): DefaultCertificate | undefined {
  const certificate = data.get('tls.crt');
  const key = data.get('tls.key');
  if (type !== TLS_TYPE || certificate === undefined || key === undefined) return undefined;
  return { secret: name, certificate: certificate.reveal(), key };
}

function tellBroken({ secret, route, fault, kept }: BrokenCertificate, log: PluginLog): void {
  const whose = route === undefined ? 'the default certificate' : `the certificate of Route ${route}`;
  log.error(
    { secret },
    `${whose} (Secret ${secret}) ${fault}; ${kept ? 'the one from before stays' : 'none is shown in its place'}`,
  );
}
