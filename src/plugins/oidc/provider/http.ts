import { lookup as dnsLookup } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Milliseconds } from '../../../resources/duration.ts';
import { isForbiddenAddress, socketHost } from './provider-address.ts';

export interface ProviderRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A whole answer, body included; redirects are answers like others and are never followed. */
export interface ProviderAnswer {
  readonly ok: true;
  readonly status: number;
  /** Media type in lower case without parameters; `` where there is none. */
  readonly contentType: string;
  readonly body: Buffer;
}

/** Why there is no answer. `message` continues a sentence that names the URL, and holds nothing of what was sent. */
export interface ProviderFault {
  readonly ok: false;
  readonly kind: 'Timeout' | 'Unreachable' | 'Tls' | 'BadAnswer' | 'Forbidden' | 'Busy' | 'Stopped';
  readonly message: string;
}

export type ProviderHttp = {
  /** Never rejects. */
  call(request: ProviderRequest): Promise<ProviderAnswer | ProviderFault>;
  /** Ends what is under way with `Stopped`. */
  stop(): void;
};

/** No document of a provider comes near it; what is larger is an attack or not a provider (A135). */
const MAX_BODY = 1024 * 1024;
/** Calls side by side to one provider; more wait, within their own deadline (F32). */
const MAX_SOCKETS = 16;
const MAX_PENDING = 256;

/**
 * HTTP as a client of a provider needs it, and no more: one deadline for the whole call, queueing and name resolution
 * included, a cap on bytes, no content coding (so that a small answer can't grow), no redirects, an optional private CA.
 * `fetch` can't be given a CA without a second HTTP client, and hides how far an answer has come.
 * Connections aren't kept: a login is rare, and a code must not be lost on a socket that the provider was closing.
 */
export function providerHttp(deadline: Milliseconds, ca: string | undefined): ProviderHttp {
  const agentOptions = { keepAlive: false, maxSockets: MAX_SOCKETS, maxTotalSockets: MAX_SOCKETS };
  const agents = {
    'http:': new http.Agent(agentOptions),
    'https:': new https.Agent({ ...agentOptions, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) }),
  };
  const stopped = new AbortController();
  let pending = 0;

  return {
    async call(request) {
      if (stopped.signal.aborted) return fault('Stopped', 'was not asked: the plugin was replaced');
      if (isForbiddenAddress(socketHost(request.url))) return FORBIDDEN;
      if (pending >= MAX_PENDING) return fault('Busy', `was not asked: ${MAX_PENDING} calls are waiting already`);
      pending += 1;
      try {
        return await callOnce(request, agents, deadline, stopped.signal);
      } catch (error) {
        // Node refuses to send some requests at all, by an exception.
        return fault('BadAnswer', `could not be asked (${error instanceof Error ? error.name : typeof error})`);
      } finally {
        pending -= 1;
      }
    },
    stop() {
      stopped.abort();
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}

function callOnce(
  request: ProviderRequest,
  agents: { readonly 'http:': http.Agent; readonly 'https:': https.Agent },
  deadline: Milliseconds,
  stopped: AbortSignal,
): Promise<ProviderAnswer | ProviderFault> {
  return new Promise((resolve) => {
    const secure = request.url.protocol === 'https:';
    const outgoing = (secure ? https : http).request(request.url, {
      method: request.method,
      agent: agents[secure ? 'https:' : 'http:'],
      lookup: lookupAllowed,
      headers: {
        ...request.headers,
        'accept-encoding': 'identity',
        ...(request.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(request.body)) }),
      },
    });
    const end = (result: ProviderAnswer | ProviderFault): void => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', onStop);
      resolve(result);
      outgoing.destroy();
    };
    const onStop = (): void => end(fault('Stopped', 'was left: the plugin was replaced'));
    const timer = setTimeout(() => end(fault('Timeout', `gave no whole answer within ${deadline} ms`)), deadline);
    stopped.addEventListener('abort', onStop, { once: true });
    outgoing.on('error', (error) => end(faultOf(error)));
    outgoing.on('response', (response) => readAnswer(response, end));
    outgoing.end(request.body);
  });
}

function readAnswer(response: http.IncomingMessage, end: (result: ProviderAnswer | ProviderFault) => void): void {
  const coding = response.headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    end(fault('BadAnswer', 'answered with a compressed body though none was asked for'));
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_BODY) end(fault('BadAnswer', `answered with more than ${MAX_BODY} bytes`));
    else chunks.push(chunk);
  });
  response.on('error', (error) => end(faultOf(error)));
  response.on('end', () => {
    if (!response.complete) return end(fault('Unreachable', 'closed the connection before its answer was whole'));
    end({
      ok: true,
      status: response.statusCode ?? 0,
      contentType: (response.headers['content-type'] ?? '').split(';', 1).join('').trim().toLowerCase(),
      body: Buffer.concat(chunks),
    });
  });
}

/** Checks what a name resolved to at each connect, so that a name can't be turned later (A117, DNS rebinding). */
const lookupAllowed: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    if (addresses.some(({ address }) => isForbiddenAddress(address))) {
      return callback(Object.assign(new Error('link-local address'), { code: LINK_LOCAL }), []);
    }
    const [first] = addresses;
    if (options.all === true || first === undefined) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

const LINK_LOCAL = 'POSTERN_LINK_LOCAL';
const fault = (kind: ProviderFault['kind'], message: string): ProviderFault => ({ ok: false, kind, message });
const FORBIDDEN = fault('Forbidden', 'is at a link-local address, which is never called');

/** Names that OpenSSL and Node give to a certificate that doesn't prove whom it should. */
const CERTIFICATE =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_|PATH_LENGTH|ERROR_IN_CERT)/;

function faultOf(error: Error): ProviderFault {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === LINK_LOCAL) return FORBIDDEN;
  if (CERTIFICATE.test(code)) {
    return fault(
      'Tls',
      `has a certificate that could not be verified (${code}): for a private CA, name it in tls.caRef`,
    );
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return fault('Unreachable', `has a host name that was not found (${code})`);
  if (code === 'ECONNREFUSED') return fault('Unreachable', 'refused the connection (ECONNREFUSED)');
  if (code.startsWith('HPE_')) return fault('BadAnswer', `did not answer in HTTP (${code})`);
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') return fault('Unreachable', `did not answer in TLS (${code})`);
  return fault('Unreachable', `could not be reached (${code === '' ? 'no reason given' : code})`);
}
