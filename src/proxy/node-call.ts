import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { BackendUrl } from '../resources/resource.ts';
import type { FailureCode, ForwardResult, OutgoingRequest } from './forwarder.ts';
import { openRequest } from './node-request.ts';
import { NodeResponseBody } from './node-response-body.ts';
import { isLinkLocal } from './upstream/lookup.ts';
import { responseFraming } from './upstream-head.ts';

export interface AgentPair {
  readonly pooled: Agent;
  /** A new connection each time: for the second attempt. */
  readonly fresh: Agent;
}

/** RFC 9110 section 9.2.2, as far as a second attempt may be made unasked. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** Interim responses before the one that counts; more is a flood (A070). */
const MAX_INTERIM = 16;

/** What is waited for, each with its own time-out and failure. */
type Phase = 'connect' | 'upload' | 'response' | 'body';

/** One request at an upstream, from the connection to the end of the response. */
export class NodeCall {
  readonly #out: OutgoingRequest;
  readonly #backend: BackendUrl;
  readonly #agents: AgentPair;
  readonly #resolve: (result: ForwardResult) => void;
  #request: ClientRequest | undefined;
  #body: NodeResponseBody | undefined;
  #timer: NodeJS.Timeout | undefined;
  #phase: Phase = 'connect';
  #settled = false;
  #over = false;
  #retried = false;
  #interim = 0;
  #uploaded = true;
  #blocked = false;

  constructor(out: OutgoingRequest, backend: BackendUrl, agents: AgentPair, resolve: (result: ForwardResult) => void) {
    this.#out = out;
    this.#backend = backend;
    this.#agents = agents;
    this.#resolve = resolve;
  }

  start(): void {
    if (this.#out.client.gone) {
      this.#fail('client_gone', 'the client went away');
      return;
    }
    if (isLinkLocal(this.#backend.host)) {
      this.#fail('connect_failed', 'link-local addresses are not reached');
      return;
    }
    this.#uploaded = this.#out.body === undefined;
    this.#out.client.onGone(() => this.#fail('client_gone', 'the client went away'));
    this.#attempt(this.#agents.pooled);
  }

  #attempt(agent: Agent): void {
    this.#wait('connect', this.#out.timeouts.connect);
    let request: ClientRequest;
    try {
      request = openRequest(this.#out, this.#backend, agent);
    } catch (error) {
      // node:http throws on what can't be sent (T18); the gate and the header functions let no such thing through.
      this.#fail('bad_response', `the request can't be sent: ${messageOf(error)}`);
      return;
    }
    this.#request = request;
    // 0: no line is dropped silently; `responseFraming` counts them.
    request.maxHeadersCount = 0;
    request.on('socket', (socket) => this.#hasSocket(request, socket));
    request.on('response', (response) => this.#responded(response));
    request.on('information', () => this.#informed());
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      this.#fail('bad_response', 'switched protocols unasked');
    });
    request.on('error', (error: NodeJS.ErrnoException) => this.#failed(request, error));
    request.on('close', () => {
      if (request === this.#request) this.#fail('reset', 'the connection was closed');
    });
    if (this.#out.body === undefined) request.end();
  }

  #hasSocket(request: ClientRequest, socket: Socket): void {
    if (!socket.connecting) {
      this.#connected(request);
      return;
    }
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => this.#connected(request));
  }

  #connected(request: ClientRequest): void {
    if (this.#over || request !== this.#request) return;
    const { body, timeouts } = this.#out;
    if (body === undefined) {
      this.#wait('response', timeouts.response);
      return;
    }
    this.#wait('upload', timeouts.idle);
    request.on('drain', () => {
      this.#blocked = false;
      body.resume();
    });
    // Only now: nothing of a body is taken, and no 100 is sent, before there is a place for it to go.
    body.start({
      data: (chunk) => {
        this.#timer?.refresh();
        this.#blocked = !request.write(chunk);
        return !this.#blocked;
      },
      end: () => {
        this.#uploaded = true;
        request.end();
        if (!this.#settled) this.#wait('response', timeouts.response);
      },
      // Destroyed, not ended: an upstream must not take half a body for a whole one (T15).
      abort: () => this.#fail('bad_request_body', 'the body of the request broke off'),
    });
  }

  #informed(): void {
    this.#interim += 1;
    if (this.#interim > MAX_INTERIM) this.#fail('bad_response', 'too many interim responses');
  }

  #responded(response: IncomingMessage): void {
    if (this.#over) {
      response.destroy();
      return;
    }
    const status = response.statusCode ?? 0;
    const framing = responseFraming(this.#out.method, status, response.httpVersion, response.rawHeaders);
    response.on('error', () => {});
    if (!framing.ok) {
      this.#fail('bad_response', framing.fault);
      return;
    }
    this.#settled = true;
    this.#wait('body', this.#out.timeouts.idle);
    this.#body = new NodeResponseBody(response, {
      progress: () => this.#timer?.refresh(),
      over: (complete) => this.#finish(complete),
    });
    const { rawHeaders: headers } = response;
    if (!framing.body) this.#body.discard();
    const body = framing.body ? this.#body : undefined;
    this.#resolve({ kind: 'Response', status, headers, length: framing.length, body });
  }

  /** The response has ended. With a body still on its way, the connection isn't used again (A068). */
  #finish(complete: boolean): void {
    if (this.#over) return;
    this.#end();
    if (complete && this.#uploaded) return;
    this.#out.body?.cancel();
    this.#request?.destroy();
  }

  #failed(request: ClientRequest, error: NodeJS.ErrnoException): void {
    if (request !== this.#request || this.#over) return;
    if (this.#mayRetry(request, error)) {
      this.#retried = true;
      this.#attempt(this.#agents.fresh);
      return;
    }
    this.#fail(this.#codeOf(request, error), messageOf(error));
  }

  /** Once, without a body, where nothing came back: the connection had died, or was closed at that moment. */
  #mayRetry(request: ClientRequest, error: NodeJS.ErrnoException): boolean {
    if (this.#retried || this.#settled || this.#interim > 0 || this.#out.body !== undefined) return false;
    const broke = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    return broke && (request.reusedSocket || this.#phase === 'response') && IDEMPOTENT.has(this.#out.method);
  }

  #codeOf(request: ClientRequest, error: NodeJS.ErrnoException): FailureCode {
    const code = error.code ?? '';
    if (code.startsWith('HPE_')) return 'bad_response';
    if (this.#phase !== 'connect') return 'reset';
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'name_not_resolved';
    if (code === 'ECONNREFUSED') return 'connect_refused';
    if (code === 'ETIMEDOUT') return 'connect_timeout';
    return request.socket instanceof TLSSocket && code !== 'ECONNRESET' ? 'tls_failed' : 'connect_failed';
  }

  #wait(phase: Phase, milliseconds: number): void {
    this.#phase = phase;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#timedOut(), milliseconds);
  }

  #timedOut(): void {
    switch (this.#phase) {
      case 'connect':
        this.#fail('connect_timeout', 'no connection in time');
        break;
      case 'upload':
        if (this.#blocked) this.#fail('upload_stalled', 'the upstream took no more of the request');
        else this.#fail('client_timeout', 'the client sent no more of its request');
        break;
      case 'response':
        this.#fail('response_timeout', 'no response in time');
        break;
      case 'body':
        this.#fail('response_timeout', 'the response stood still');
        break;
    }
  }

  /** Ends whatever is under way. Before the response it is the result; afterwards the body breaks off. */
  #fail(code: FailureCode, cause: string): void {
    if (this.#over) return;
    this.#end();
    this.#request?.on('error', () => {});
    this.#request?.destroy();
    this.#out.body?.cancel();
    if (this.#settled) this.#body?.abort();
    else this.#resolve({ kind: 'Failed', code, cause });
    this.#settled = true;
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#out.client.onGone(undefined);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
