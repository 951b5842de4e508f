import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiServer } from './apiserver.ts';

/** One call that came to the proxy. */
export interface FaultyCall {
  readonly verb: 'list' | 'watch' | 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly authorization: string;
  /** 0: none was given (yet). */
  status: number;
  /** Of the answer's body, so far. */
  bytes: number;
}

/** What is wrong at the moment; what is absent is right. */
export interface Faults {
  /** Connections are ended without an answer, those that are open as well. */
  readonly refuse?: boolean;
  /** Nothing is answered or passed on any more, and nothing ended: half-open. */
  readonly blackHole?: boolean;
  /** Milliseconds after which each watch ends, cleanly, or without its last chunk. */
  readonly cutWatches?: { readonly after: number; readonly cleanly: boolean };
  /** Milliseconds before anything is passed on. */
  readonly delay?: number;
  /** Answers instead of the API server, where it gives something. */
  answer?(call: FaultyCall): FaultyAnswer | undefined;
  /** What becomes of a line of a watch. */
  line?(line: string, call: FaultyCall): string;
}

export interface FaultyAnswer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

/** A proxy in front of a real API server, for what that can't be made to show. */
export interface FaultyApi {
  /** http://127.0.0.1:<port> */
  readonly url: string;
  /** Path of a kubeconfig that leads through the proxy. */
  readonly kubeconfig: string;
  /** Path of another, as a Pod has it: the token is in a file that is read again and again. */
  kubeconfigWith(tokenFile: string): string;
  /** Instead of what was wrong before. */
  set(faults: Faults): void;
  /** Leads to another API server of the cluster from the next call on; what is open stays where it is. */
  turnTo(server: Pick<ApiServer, 'url' | 'ca'>): void;
  /** Ends every connection. */
  cut(): void;
  calls(): readonly FaultyCall[];
  /** Forgets the calls. */
  forget(): void;
  stop(): Promise<void>;
}

/** An answer as an API server writes them: `{kind: 'Status', code, …}`. */
export const statusAnswer = (status: number, headers: OutgoingHttpHeaders = {}): FaultyAnswer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code: status,
    message: `faulty ${status}`,
  }),
});

export async function startFaultyApi(server: ApiServer, token = server.token): Promise<FaultyApi> {
  const agentTo = ({ ca }: Pick<ApiServer, 'ca'>): Agent => new Agent({ ca, keepAlive: true });
  const agents = [agentTo(server)];
  let target: { readonly url: string; readonly agent: Agent | undefined } = { url: server.url, agent: agents[0] };
  let faults: Faults = {};
  let calls: FaultyCall[] = [];

  const proxy = createServer((incoming, outgoing) => {
    const call = callOf(incoming);
    calls.push(call);
    outgoing.on('error', () => {});
    void handle(incoming, outgoing, call);
  });
  proxy.on('connection', (socket) => {
    if (faults.refuse === true) socket.resetAndDestroy();
  });

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse, call: FaultyCall): Promise<void> {
    if (faults.refuse === true) {
      incoming.socket.resetAndDestroy();
      return;
    }
    if (faults.blackHole === true) return;
    if (faults.delay !== undefined) await sleep(faults.delay);
    const instead = faults.answer?.(call);
    if (instead === undefined) {
      forward(incoming, outgoing, call);
      return;
    }
    incoming.resume();
    call.status = instead.status;
    call.bytes = instead.body?.length ?? 0;
    outgoing.writeHead(instead.status, instead.headers).end(instead.body);
  }

  function forward(incoming: IncomingMessage, outgoing: ServerResponse, call: FaultyCall): void {
    const { method, headers, url = '/' } = incoming;
    const upstream = request(
      new URL(url, target.url),
      { method, agent: target.agent, headers: { ...headers, host: new URL(target.url).host } },
      (answer) => {
        call.status = answer.statusCode ?? 0;
        outgoing.writeHead(call.status, answer.headers);
        if (call.verb === 'watch') cutInTime(outgoing);
        const write = (chunk: Buffer | string): void => {
          if (faults.blackHole === true) return;
          call.bytes += chunk.length;
          outgoing.write(chunk);
        };
        if (call.verb === 'watch' && call.status === 200)
          eachLine(answer, (line) => write(faults.line?.(line, call) ?? line));
        else answer.on('data', write);
        answer.on('end', () => {
          if (faults.blackHole !== true) outgoing.end();
        });
        answer.on('error', () => outgoing.destroy());
        // The headers of a watch go out before its first line.
        outgoing.flushHeaders();
      },
    );
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  }

  function cutInTime(outgoing: ServerResponse): void {
    const cut = faults.cutWatches;
    if (cut === undefined) return;
    const timer = setTimeout(() => (cut.cleanly ? outgoing.end() : outgoing.destroy()), cut.after);
    outgoing.on('close', () => clearTimeout(timer));
  }

  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const address = proxy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  const directory = mkdtempSync(join(tmpdir(), 'postern-faulty-'));
  return {
    url,
    kubeconfig: writeKubeconfig(join(directory, 'kubeconfig'), url, { token }),
    kubeconfigWith: (tokenFile) =>
      writeKubeconfig(join(directory, 'kubeconfig-with-file'), url, {
        'auth-provider': { name: 'tokenFile', config: { tokenFile } },
      }),
    set(next) {
      faults = next;
      if (next.refuse === true) proxy.closeAllConnections();
    },
    turnTo(other) {
      const agent = agentTo(other);
      agents.push(agent);
      target = { url: other.url, agent };
    },
    cut: () => proxy.closeAllConnections(),
    calls: () => calls,
    forget() {
      calls = [];
    },
    async stop() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
      for (const agent of agents) agent.destroy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function callOf(incoming: IncomingMessage): FaultyCall {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://proxy');
  return {
    verb: verbOf(incoming.method ?? 'GET', pathname, searchParams),
    path: pathname,
    query: searchParams,
    accept: incoming.headers.accept ?? '',
    authorization: incoming.headers.authorization ?? '',
    status: 0,
    bytes: 0,
  };
}

/** As RBAC calls it: a path of a collection ends in its plural. */
function verbOf(method: string, path: string, query: URLSearchParams): FaultyCall['verb'] {
  switch (method) {
    case 'POST':
      return 'post';
    case 'PUT':
      return 'put';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return 'delete';
    default: {
      if (query.get('watch') !== null) return 'watch';
      const parts = path.replace(/^\/apis?\/([^/]+\/)?v[^/]+\//, '').split('/');
      return (parts[0] === 'namespaces' ? parts.length === 3 || parts.length === 1 : parts.length === 1)
        ? 'list'
        : 'get';
    }
  }
}

function eachLine(answer: IncomingMessage, take: (line: string) => void): void {
  let begun = '';
  answer.setEncoding('utf8');
  answer.on('data', (text: string) => {
    begun += text;
    const lines = begun.split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) take(`${line}\n`);
  });
}

function writeKubeconfig(path: string, url: string, user: unknown): string {
  const config = {
    clusters: [{ name: 'faulty', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'faulty', user }],
    contexts: [{ name: 'faulty', context: { cluster: 'faulty', user: 'faulty' } }],
    'current-context': 'faulty',
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
