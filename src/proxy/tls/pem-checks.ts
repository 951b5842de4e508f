import { X509Certificate } from 'node:crypto';
import type { PemChecks } from '../../routing/options.ts';
import { pairFault } from './certificate-fault.ts';

/** What OpenSSL makes of the certificates that Services name. */
export const PEM_CHECKS: PemChecks = { isCertificate, pairFault };

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
