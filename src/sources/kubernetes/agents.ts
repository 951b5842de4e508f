import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Access, TlsIdentity } from './credentials.ts';

/** Connections to the API server, shared by all calls: one for each would cost a TLS handshake for each. */
export class Agents {
  #current: { readonly fingerprint: string; readonly agent: Dispatcher } | undefined;
  readonly #retired = new Set<Dispatcher>();

  /** The shared one; a new one when a CA or a client certificate changed. Calls under way end on the old one. */
  of(access: Access): Dispatcher {
    const fingerprint = JSON.stringify([access.server.origin, access.tls, access.proxy ?? '']);
    if (this.#current?.fingerprint === fingerprint) return this.#current.agent;
    if (this.#current !== undefined) this.#retire(this.#current.agent);
    const agent = createAgent(access);
    this.#current = { fingerprint, agent };
    return agent;
  }

  async close(): Promise<void> {
    const agents = [...this.#retired, ...(this.#current === undefined ? [] : [this.#current.agent])];
    this.#retired.clear();
    this.#current = undefined;
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #retire(agent: Dispatcher): void {
    this.#retired.add(agent);
    agent.close(() => this.#retired.delete(agent));
  }
}

/** HTTP/1.1: each watch has a connection of its own, so that one that hangs holds up no other. */
function createAgent({ tls, proxy }: Access): Dispatcher {
  // Probes find a peer that vanished without a FIN after 15 s + 10 × 1 s, whatever is sent or not (F04).
  const connect = { ...tlsOptions(tls), timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 15_000 };
  const options = { allowH2: false, pipelining: 1, keepAliveTimeout: 30_000 };
  return proxy === undefined
    ? new Agent({ ...options, connect })
    : new ProxyAgent({ ...options, uri: proxy, requestTls: tlsOptions(tls) });
}

const tlsOptions = ({ ca, cert, key, servername, verify }: TlsIdentity) => ({
  ...(ca === undefined ? {} : { ca }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key }),
  ...(servername === undefined ? {} : { servername }),
  rejectUnauthorized: verify,
});
