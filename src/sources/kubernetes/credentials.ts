import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

/** Who calls which API server, as of now. */
export interface Access {
  /** `https://host:port`, and the path that a proxy in front of it wants, or ``. */
  readonly server: URL;
  /** `authorization`, `impersonate-user`; never logged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsIdentity;
  /** http or https proxy of the kubeconfig. */
  readonly proxy: string | undefined;
}

export interface TlsIdentity {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
  /** False only where a kubeconfig says insecure-skip-tls-verify. */
  readonly verify: boolean;
}

export interface Credentials {
  /** Namespace of the context, in a cluster that of the ServiceAccount. */
  readonly namespace: string | undefined;
  /** Read again after 10 s. Rejects only where they could never be read; a file that is missing for a moment is no reason. */
  access(): Promise<Access>;
  /** After a 401: what is held is not used again without reading. */
  refused(): void;
}

export interface CredentialsOptions {
  /** A kubeconfig file; undefined: the ServiceAccount of the Pod. */
  readonly kubeconfig: string | undefined;
  /** In front of /var/run/secrets/kubernetes.io/serviceaccount. */
  readonly root: string;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Credentials can't be read; those from before are used. Once for each spell of it. */
  stale(cause: string): void;
}

/** The kubelet replaces a token at four fifths of its life, so what is this old is always good. */
const FRESH = 10_000;
/** A server that answers every call with 401 doesn't make us read files, or run a plugin, for each of them. */
const SOON = 1000;

/** Reads the configuration once; rejects with what is wrong with it. */
export async function openCredentials(options: CredentialsOptions): Promise<Credentials> {
  const load = await loader(options);
  let config = load();
  let held: Access | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<Access> | undefined;
  let wasRefused = false;
  let saidStale = false;

  const read = async (): Promise<Access> => {
    readAt = options.now();
    try {
      // A new configuration forgets what plugins answered: the only way to make them answer again.
      if (wasRefused && options.kubeconfig !== undefined) config = load();
      wasRefused = false;
      held = await accessOf(config);
      saidStale = false;
      return held;
    } catch (error) {
      if (held === undefined) throw error;
      if (!saidStale) options.stale(error instanceof Error ? error.message : 'unknown cause');
      saidStale = true;
      return held;
    }
  };

  return {
    namespace: config.kube.getContextObject(config.kube.getCurrentContext())?.namespace?.trim() || undefined,
    async access() {
      const age = options.now() - readAt;
      if (held !== undefined && age < (wasRefused ? SOON : FRESH)) return held;
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return await reading;
    },
    refused() {
      wasRefused = true;
    },
  };
}

interface Loaded {
  readonly kube: KubeConfig;
  readonly tokenFile: string | undefined;
}

/** Imported when it is needed: it costs half a second and 90 MB, and files mode has no use for it. */
async function loader({ kubeconfig, root }: CredentialsOptions): Promise<() => Loaded> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  return () => {
    const kube = new KubeConfig();
    if (kubeconfig === undefined) kube.loadFromCluster(root);
    else kube.loadFromFile(kubeconfig);
    const cluster = kube.getCurrentCluster();
    if (cluster === null) throw new Error(`${kubeconfig} has no current context that names a cluster`);
    if (kubeconfig === undefined && cluster.server.includes('undefined'))
      throw new Error(
        'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, so this is no Pod; use --kubeconfig',
      );
    return { kube, tokenFile: takeTokenFile(kube) };
  };
}

/**
 * The library reads a token file once a minute and synchronously, throws when it is missing at that moment, and sends no token at
 * all for a minute when it was empty (F08): so this is done here.
 */
function takeTokenFile(kube: KubeConfig): string | undefined {
  const user = kube.getCurrentUser();
  const file: unknown = user?.authProvider?.config?.tokenFile;
  if (user === null || typeof file !== 'string') return undefined;
  kube.users = kube.users.map((other) => (other === user ? { name: user.name } : other));
  return file;
}

async function accessOf({ kube, tokenFile }: Loaded): Promise<Access> {
  const cluster = kube.getCurrentCluster();
  if (cluster === null) throw new Error('no cluster');
  const options: RequestOptions = {};
  await kube.applyToHTTPSOptions(options);
  const headers = headersOf(options);
  if (tokenFile !== undefined) headers['authorization'] = `Bearer ${await readToken(tokenFile)}`;
  return {
    server: new URL(cluster.server),
    headers,
    tls: {
      ca: pem(options.ca),
      cert: pem(options.cert),
      key: pem(options.key),
      servername: options.servername,
      verify: options.rejectUnauthorized !== false,
    },
    proxy: proxyOf(cluster.proxyUrl),
  };
}

async function readToken(file: string): Promise<string> {
  const token = (await readFile(file, 'utf8')).trim();
  if (token === '') throw new Error(`${file} is empty`);
  return token;
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  if (typeof options.auth === 'string')
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return headers;
}

const pem = (value: RequestOptions['ca'] | RequestOptions['key']): string | undefined =>
  typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : undefined;

function proxyOf(url: string | undefined): string | undefined {
  if (url === undefined || url === '') return undefined;
  if (!/^https?:/.test(url)) throw new Error('proxy-url of the kubeconfig must begin with http:// or https://');
  return url;
}
