import { CertificateStore } from '../../../src/proxy/tls/certificate-store.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { Redacted } from '../../../src/resources/redacted.ts';
import { privateAuthority } from '../../support/certificates.ts';
import { openssl } from '../../support/parts.ts';
import { askOnce } from '../../support/raw-client.ts';
import type { Gateway, GatewayOptions } from './gateway.ts';
import { H2Client } from './h2-client.ts';

export interface FrontAsk {
  readonly method?: string;
  readonly target: string;
  readonly host?: string;
  /** Header lines, each ended by CRLF. */
  readonly lines?: string;
}

export interface FrontAnswer {
  /** 0: the stream was reset. */
  readonly status: number;
  readonly body: string;
  header(name: string): string | undefined;
}

/** A way in; what holds for one holds for all: the same requests, the same decisions. */
export interface TestFront {
  readonly name: string;
  readonly http2: boolean;
  readonly options: () => Pick<GatewayOptions, 'https'>;
  ask(gateway: Gateway, ask: FrontAsk): Promise<FrontAnswer>;
}

const HTTP1: TestFront = {
  name: 'HTTP/1.1',
  http2: false,
  options: () => ({}),
  ask: (gateway, { method = 'GET', target, host = 'app.example', lines = '' }) =>
    askOnce(gateway.port, `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`, method),
};

let shared: CertificateStore | undefined;

/** One certificate for whatever name, so that none is misdirected (A035 has tests of its own). */
function oneForAll(): CertificateStore {
  if (shared !== undefined) return shared;
  const authority = privateAuthority('front CA');
  const { cert, key } = authority.issue(['DNS:app.example']);
  authority.remove();
  shared = new CertificateStore({ now: () => performance.now(), onBroken: () => {} });
  const secret = namespacedName('infra', 'default');
  shared.update(new Map(), { secret, certificate: cert, key: new Redacted(key) });
  return shared;
}

const HTTP2: TestFront = {
  name: 'HTTP/2',
  http2: true,
  options: () => ({ https: { certificates: oneForAll(), plain: 'Serve', http2: true } }),
  async ask(gateway, { method = 'GET', target, host = 'app.example', lines = '' }) {
    const client = await H2Client.connect(gateway.tlsPort);
    const headers: Record<string, string> = {};
    for (const line of lines.split('\r\n').filter((each) => each !== '')) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const answer = await client.ask({ method, path: target, authority: host, headers });
    client.close();
    return {
      status: answer.status,
      body: answer.body,
      header: (name) => {
        const value = answer.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      },
    };
  },
};

/** Without openssl there is no certificate, and only the first. */
export const FRONTS: readonly TestFront[] = openssl.missing ? [HTTP1] : [HTTP1, HTTP2];
