import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { own } from '../../src/resources/plain.ts';
import { type ProgramName, programPath } from './assets.ts';
import { freePort } from './gateway.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A Kubernetes API server alone, with etcd: every kind can be stored and watched, nothing runs. */
export interface ApiServer {
  /** https://127.0.0.1:<port> */
  readonly url: string;
  /** PEM, for the certificate of `url`. */
  readonly ca: string;
  /** Bearer token of a member of system:masters. */
  readonly token: string;
  /** Path of a kubeconfig with all three. */
  readonly kubeconfig: string;
  /** As that administrator; `input` is its standard input. Never rejects for an exit code. */
  kubectl(args: readonly string[], input?: string): Promise<Ran>;
  /** Server-side apply of manifests (YAML or JSON), strict; rejects where anything is refused. */
  apply(manifests: string): Promise<void>;
  /** Path of a kubeconfig for a ServiceAccount that exists, with a token of its own for an hour. */
  kubeconfigOf(namespace: string, serviceAccount: string): Promise<string>;
  /** Path of the audit log, one event a line (audit.k8s.io/v1, level Metadata); empty unless it was asked for. */
  readonly auditLog: string;
  /** One request with a JSON body. */
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  /**
   * Ends it and starts it again at the same address, over the same etcd, whose history is gone: no watch goes on from before.
   * Resolves when it is ready.
   */
  restartWithoutHistory(): Promise<void>;
  /** Starts another one over the same etcd, with the same users, of the programs in `folder`. It is stopped with this one. */
  beside(folder?: string): Promise<Beside>;
  stop(): Promise<void>;
}

/** A second API server of the same cluster, as while a control plane is upgraded. */
export interface Beside extends Pick<ApiServer, 'url' | 'ca' | 'call'> {
  /** Ends it and starts it again at the same address. Resolves when it is ready. */
  restart(): Promise<void>;
}

export interface ApiServerOptions {
  /** Whether every request that has been answered is written to `auditLog`. Default: no. */
  readonly audit?: boolean;
}

/** Starts both on free ports of 127.0.0.1, in a folder of their own, and waits for /readyz. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(options);
    } catch (error) {
      // Somebody took a port between the look for a free one and its use.
      const taken = error instanceof Error && /address already in use|failed to listen/i.test(error.message);
      if (!taken || attempt === 4) throw error;
    }
  }
}

async function startOnce({ audit = false }: ApiServerOptions): Promise<ApiServer> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-apiserver-'));
  const running: Running[] = [];
  const stop = async (): Promise<void> => {
    // The API server first: without etcd it would only wait.
    for (const process of running.toReversed()) await process.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const [client, peer, secure] = await freePorts(3);
    running.push(run('etcd', etcdArgs(directory, `http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`), directory));
    const token = randomUUID();
    const etcd = `http://127.0.0.1:${client}`;
    const auditLog = join(directory, 'audit.log');
    writeFileSync(auditLog, '', { mode: 0o600 });
    const shared = serverArgs(directory, etcd, token);
    const args = [
      ...shared,
      ...ownArgs(join(directory, 'certificates'), secure ?? 0),
      ...(audit ? auditArgs(directory, auditLog) : []),
    ];
    let apiServer = run('kube-apiserver', args, directory);
    running.push(apiServer);
    const url = `https://127.0.0.1:${secure}`;
    const ca = await certificate(join(directory, 'certificates'), running);
    let agent = new Agent({ ca, keepAlive: true, maxSockets: 8 });
    const call: ApiServer['call'] = (method, path, body, contentType = 'application/json') =>
      callApi({ url, agent, token, method, path, body, contentType });
    await ready(call, running);
    const kubeconfig = writeKubeconfig(join(directory, 'kubeconfig'), url, ca, 'administrator', token);
    const kubectl: ApiServer['kubectl'] = (args, input) => runKubectl(directory, kubeconfig, args, input);
    return {
      url,
      ca,
      token,
      kubeconfig,
      kubectl,
      call,
      auditLog,
      async kubeconfigOf(namespace, serviceAccount) {
        const ran = await kubectl(['create', 'token', serviceAccount, '-n', namespace, '--duration=1h']);
        if (ran.code !== 0) throw new Error(ran.stderr);
        const path = join(directory, `kubeconfig-${namespace}-${serviceAccount}`);
        return writeKubeconfig(path, url, ca, serviceAccount, ran.stdout.trim());
      },
      async apply(manifests) {
        const ran = await kubectl(['apply', '--server-side', '--validate=strict', '-f', '-'], manifests);
        if (ran.code !== 0) throw new Error(ran.stderr);
      },
      async restartWithoutHistory() {
        agent.destroy();
        await apiServer.stop();
        await forgetHistory(etcd);
        agent = new Agent({ ca, keepAlive: true, maxSockets: 8 });
        apiServer = run('kube-apiserver', args, directory);
        running.splice(running.length - 1, 1, apiServer);
        await ready(call, running);
      },
      async beside(folder) {
        const [port = 0] = await freePorts(1);
        const certificates = join(directory, `certificates-${port}`);
        const start = () => run('kube-apiserver', [...shared, ...ownArgs(certificates, port)], directory, folder);
        let process = start();
        running.push(process);
        const address = `https://127.0.0.1:${port}`;
        const own = await certificate(certificates, running);
        let connections = new Agent({ ca: own, keepAlive: true, maxSockets: 8 });
        const callIt: ApiServer['call'] = (method, path, body, contentType = 'application/json') =>
          callApi({ url: address, agent: connections, token, method, path, body, contentType });
        await ready(callIt, running);
        return {
          url: address,
          ca: own,
          call: callIt,
          async restart() {
            connections.destroy();
            await process.stop();
            const before = running.indexOf(process);
            process = start();
            running.splice(before, 1, process);
            connections = new Agent({ ca: own, keepAlive: true, maxSockets: 8 });
            await ready(callIt, running);
          },
        };
      },
      async stop() {
        agent.destroy();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** As `etcdctl compact`, through etcd's JSON gateway: everything but the newest version of each key is gone. */
async function forgetHistory(etcd: string): Promise<void> {
  const ask = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(`${etcd}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  };
  const now = await ask('/v3/kv/range', { key: Buffer.from('/').toString('base64'), limit: 1 });
  await ask('/v3/kv/compaction', { revision: own(own(now, 'header'), 'revision'), physical: true });
}

const etcdArgs = (directory: string, client: string, peer: string): readonly string[] => [
  `--data-dir=${join(directory, 'etcd')}`,
  '--unsafe-no-fsync',
  `--listen-client-urls=${client}`,
  `--advertise-client-urls=${client}`,
  `--listen-peer-urls=${peer}`,
  `--initial-advertise-peer-urls=${peer}`,
  `--initial-cluster=default=${peer}`,
  '--log-level=warn',
];

/** What each of several API servers of a cluster has for itself. */
const ownArgs = (certificates: string, port: number): readonly string[] => [
  `--secure-port=${port}`,
  `--cert-dir=${certificates}`,
];

function serverArgs(directory: string, etcd: string, token: string): readonly string[] {
  const key = join(directory, 'service-account.pem');
  const tokens = join(directory, 'tokens.csv');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  writeFileSync(tokens, `${token},administrator,administrator,"system:masters"\n`, { mode: 0o600 });
  return [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    `--token-auth-file=${tokens}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    // No controller makes the default ServiceAccount of a namespace here.
    '--disable-admission-plugins=ServiceAccount',
  ];
}

function auditArgs(directory: string, log: string): readonly string[] {
  const policy = join(directory, 'audit-policy.json');
  const rules = [{ level: 'Metadata', omitStages: ['RequestReceived'] }];
  writeFileSync(policy, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules }));
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`, '--audit-log-mode=blocking'];
}

interface Running {
  /** Throws with what the program wrote, where it has ended. */
  check(): void;
  stop(): Promise<void>;
}

function run(name: ProgramName, args: readonly string[], directory: string, folder?: string): Running {
  const log = join(directory, `${name}${folder === undefined ? '' : '-beside'}.log`);
  const output = openSync(log, 'w');
  const child = spawn(programPath(name, folder), args, { stdio: ['ignore', output, output] });
  const ended = once(child, 'exit');
  return {
    check() {
      if (child.exitCode === null && child.signalCode === null) return;
      throw new Error(`${name} ended:\n${readFileSync(log, 'utf8').slice(-4000)}`);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      // The API server drains for a minute where a watch is open; nobody here waits for that.
      const late = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(late);
    },
  };
}

const PATIENCE = 60_000;

async function until<T>(
  running: readonly Running[],
  attempt: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    for (const process of running) process.check();
    const found = await attempt();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`no API server after ${PATIENCE / 1000} s`);
    await sleep(50);
  }
}

/** It signs a certificate for itself, and writes the one of its authority behind it. */
const certificate = (folder: string, running: readonly Running[]): Promise<string> =>
  until(running, () => {
    try {
      const pem = readFileSync(join(folder, 'apiserver.crt'), 'utf8');
      return pem.trimEnd().endsWith('-----END CERTIFICATE-----') ? pem : undefined;
    } catch {
      return undefined;
    }
  });

const ready = (call: ApiServer['call'], running: readonly Running[]): Promise<true> =>
  until(running, async () => {
    const answer = await call('GET', '/readyz').catch(() => undefined);
    return answer?.status === 200 ? true : undefined;
  });

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

function writeKubeconfig(path: string, url: string, ca: string, name: string, token: string): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: name } }],
    'current-context': 'test',
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

async function runKubectl(
  directory: string,
  kubeconfig: string,
  args: readonly string[],
  input: string | undefined,
): Promise<Ran> {
  const all = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(directory, 'kubectl')}`, ...args];
  return await new Promise((resolve, reject) => {
    const child = execFile(programPath('kubectl'), all, { maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end(input ?? '');
  });
}

interface Call {
  readonly url: string;
  readonly agent: Agent;
  readonly token: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly contentType: string;
}

async function callApi({ url, agent, token, method, path, body, contentType }: Call): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': contentType, accept: 'application/json' };
    const outgoing = request(new URL(path, url), { agent, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => void chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: json(Buffer.concat(chunks).toString()) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
