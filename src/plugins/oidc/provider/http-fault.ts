import { NotReachable } from './reach.ts';

/** Why there is no answer. `message` continues a sentence that names the URL, and holds nothing of what was sent. */
export interface ProviderFault {
  readonly ok: false;
  readonly kind: 'Timeout' | 'Unreachable' | 'Tls' | 'Proxy' | 'BadAnswer' | 'Forbidden' | 'Busy' | 'Stopped';
  readonly message: string;
}

export const fault = (kind: ProviderFault['kind'], message: string): ProviderFault => ({ ok: false, kind, message });

/** Names that OpenSSL and Node give to a certificate that doesn't prove whom it should. */
const CERTIFICATE =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_|PATH_LENGTH|ERROR_IN_CERT)/;

/** An error of a socket or of Node's HTTP. */
export function faultOf(error: Error): ProviderFault {
  if (error instanceof NotReachable) return fault('Forbidden', error.message);
  const code = codeOf(error);
  if (CERTIFICATE.test(code)) {
    return fault(
      'Tls',
      `has a certificate that could not be verified (${code}): for a private CA, name it in tls.caRef`,
    );
  }
  if (code.startsWith('HPE_')) return fault('BadAnswer', `did not answer in HTTP (${code})`);
  return fault('Unreachable', unreachable(code));
}

/** An error on the way to the proxy, which `name`s it: `the proxy http://proxy.example:3128`. */
export function proxyFaultOf(error: Error, name: string): ProviderFault {
  if (error instanceof NotReachable) return fault('Forbidden', `was not asked, for ${name} ${error.message}`);
  const code = codeOf(error);
  const why = CERTIFICATE.test(code) ? `has a certificate that could not be verified (${code})` : unreachable(code);
  return fault('Proxy', `could not be asked, for ${name} ${why}`);
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '');

function unreachable(code: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `has a host name that was not found (${code})`;
  if (code === 'ECONNREFUSED') return 'refused the connection (ECONNREFUSED)';
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') return `did not answer in TLS (${code})`;
  return `could not be reached (${code === '' ? 'no reason given' : code})`;
}
