import { lowerAscii } from '../resources/hostname.ts';
import type { Framing } from './body.ts';
import type { RequestHead } from './gate.ts';
import type { HeaderInfo } from './header-class.ts';

/** RFC 9110 section 7.8: `protocol-name ["/" protocol-version]`, one. */
const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}(\/[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64})?$/;
/**
 * Protocols in which requests travel, which nobody would have decided about: HTTP in every version (A071) and, for what is
 * inside is HTTP again, TLS (RFC 2817).
 */
const CARRIES_REQUESTS = /^(http|https|h2|h2c|h3|tls)(\/|$)/i;

/** `undefined`: none, or none that is passed on, and the request is an ordinary one. `Malformed`: it is refused. */
export type AskedUpgrade = { readonly protocol: string } | 'Malformed' | undefined;

/**
 * What a request with this `Upgrade` line asks for. A server may ignore the field (RFC 9110 section 7.8), and does so where
 * it has to (HTTP/1.0; no `upgrade` in Connection) and where the protocol would carry requests. Otherwise it is an upgrade
 * to exactly one protocol, by a GET without a body, or nothing that two readers would read in the same way.
 */
export function askedUpgrade(
  head: RequestHead,
  infos: readonly HeaderInfo[],
  value: string,
  framing: Framing,
): AskedUpgrade {
  if (head.version !== '1.1' || !namesUpgrade(head, infos)) return undefined;
  if (carriesRequests(value)) return undefined;
  const asks = PROTOCOL.test(value) && head.method === 'GET' && framing.kind === 'None' && head.upgradable === true;
  return asks ? { protocol: value } : 'Malformed';
}

/** Every protocol in the list is one that carries requests. */
export const carriesRequests = (value: string): boolean =>
  value.split(',').every((protocol) => CARRIES_REQUESTS.test(protocol.trim()));

function namesUpgrade({ headers }: RequestHead, infos: readonly HeaderInfo[]): boolean {
  return infos.some(({ kind }, at) => kind === 'Connection' && hasOption(headers[2 * at + 1] ?? '', 'upgrade'));
}

/** Whether a `Connection` line has this option. */
export const hasOption = (value: string, option: string): boolean =>
  value.split(',').some((one) => lowerAscii(one.trim()) === option);
