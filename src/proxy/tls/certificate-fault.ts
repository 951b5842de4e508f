import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Redacted } from '../../resources/redacted.ts';
import type { CertificatePair } from './loaded-pair.ts';

/** What is known of a pair for good; only the time of day is left to compare. */
type Facts =
  | { readonly fault: string }
  | { readonly fault: undefined; readonly validFrom: number; readonly validTo: number };

/** Bits of an RSA key below which OpenSSL's security level 2 refuses to serve it. */
const MIN_RSA_BITS = 2048;

/**
 * Says why a certificate (PEM, leaf first) and its key can't be served, or that browsers will refuse it, to go on a sentence
 * whose subject is the certificate; undefined where all is well. Each pair is read once (0.1 ms), and remembered as long
 * as its Redacted lives. An expired one is served all the same: it tells a visitor more than a failed handshake.
 *
 * @param now milliseconds since 1970
 */
export function certificateFaults(now: () => number): (certificate: string, key: Redacted) => string | undefined {
  const known = new WeakMap<Redacted, { readonly certificate: string; readonly facts: Facts }>();
  return (certificate, key) => {
    const before = known.get(key);
    const facts = before?.certificate === certificate ? before.facts : factsOf(certificate, key);
    if (facts !== before?.facts) known.set(key, { certificate, facts });
    if (facts.fault !== undefined) return facts.fault;
    if (now() > facts.validTo) return `has expired on ${day(facts.validTo)}`;
    return now() < facts.validFrom ? `isn't valid before ${day(facts.validFrom)}` : undefined;
  };
}

const day = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** What is wrong with a pair at any time, in the same words. Undefined: OpenSSL may still refuse it, for weak signatures for one. */
export const pairFault = ({ certificate, key }: CertificatePair): string | undefined => factsOf(certificate, key).fault;

function factsOf(certificate: string, key: Redacted): Facts {
  const leaf = attempt(() => new X509Certificate(certificate));
  if (leaf === undefined) return { fault: 'is no certificate in PEM form' };
  const secret = attempt(() => createPrivateKey(key.reveal()));
  if (secret === undefined) return { fault: 'has a key that is no private key in PEM form without a passphrase' };
  if (!leaf.checkPrivateKey(secret)) return { fault: "doesn't belong to its key" };
  const bits = rsaBits(secret);
  if (bits !== undefined && bits < MIN_RSA_BITS) {
    return { fault: `has an RSA key of ${bits} bits; it needs ${MIN_RSA_BITS} or more` };
  }
  return { fault: undefined, validFrom: Date.parse(leaf.validFrom), validTo: Date.parse(leaf.validTo) };
}

const rsaBits = (key: KeyObject): number | undefined =>
  key.asymmetricKeyType === 'rsa' ? key.asymmetricKeyDetails?.modulusLength : undefined;

/** OpenSSL says by exceptions what it can't read. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
