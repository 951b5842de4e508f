import type { Publication } from '../control/control.ts';
import type { PluginLog } from '../plugins/contract.ts';
import { type BrokenCertificate, CertificateStore, type DefaultCertificate } from '../proxy/tls/certificate-store.ts';
import type { NamespacedName } from '../resources/keys.ts';
import type { Parsed, SecretResource } from '../resources/resource.ts';
import type { ParsedObjects } from '../routing/changes.ts';
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
  /** Objects as of now: the default one changes without a new table, for no Route names it. */
  look(objects: Pick<ParsedObjects, 'changes'>): void;
  published(publication: Publication): void;
}

const TLS_TYPE = 'kubernetes.io/tls';

export function createCertificates({ fallback, now, log }: CertificatesOptions): Certificates {
  const store = new CertificateStore({ now, onBroken: (broken) => tellBroken(broken, log) });
  const there = new Set<Valid>();
  let ofRoutes: Snapshot['certificates'] = new Map();
  let shown: SecretResource | undefined;
  let complained: string | undefined;

  const complain = (what: string | undefined): void => {
    if (what !== undefined && what !== complained) log.warn({}, `--default-certificate ${fallback}: ${what}`);
    complained = what;
  };

  return {
    store,
    look({ changes }) {
      if (fallback === undefined) return;
      for (const { before } of changes.values()) if (isSecret(before, fallback)) there.delete(before);
      for (const { after } of changes.values()) if (isSecret(after, fallback)) there.add(after);
      const [secret] = Array.from(there, ({ value }) => value);
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

interface Valid {
  readonly ok: true;
  readonly value: SecretResource;
}

const isSecret = (parsed: Parsed | undefined, name: NamespacedName): parsed is Valid =>
  parsed?.ok === true && parsed.value.kind === 'Secret' && parsed.value.name === name;

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
