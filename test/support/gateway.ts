import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The real command line, as a child process. */
export interface PosternProcess {
  readonly url: string;
  readonly adminUrl: string;
  readonly debugUrl: string;
  readonly child: ChildProcess;
  /** Everything it has written so far, both streams. */
  log(): string;
  /** Resolves when the log has a match that comes after what was there when `after` was read. */
  logged(pattern: RegExp, after?: number): Promise<void>;
  /** Resolves when /readyz says so. */
  ready(): Promise<void>;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>;
}

/** The same over a directory of its own. */
export interface Gateway extends PosternProcess {
  readonly objects: string;
  write(file: string, text: string): void;
}

export interface GatewayOptions {
  readonly objects: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: free ones. */
  readonly port?: number;
  readonly adminPort?: number;
  readonly debugPort?: number;
}

/**
 * A port that was free a moment ago, below those that the system gives to outgoing connections (32768 and up): one of these may be
 * taken again before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** Starts `postern serve --files` and resolves when it is ready. Rejects with its whole output where it ends before. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const objects = mkdtempSync(join(tmpdir(), 'postern-objects-'));
  for (const [file, text] of Object.entries(options.objects)) writeFileSync(join(objects, file), text);
  const process = await startProcess({ ...options, args: ['--files', objects, ...(options.args ?? [])] });
  const gateway: Gateway = {
    ...process,
    objects,
    write: (file, content) => writeFileSync(join(objects, file), content),
    async stop() {
      const code = await process.stop();
      rmSync(objects, { recursive: true, force: true });
      return code;
    },
  };
  await gateway.ready();
  return gateway;
}

/** Starts `postern serve` with these arguments and three listeners of its own. */
export async function startProcess(options: Omit<GatewayOptions, 'objects'>): Promise<PosternProcess> {
  const port = options.port ?? (await freePort());
  const admin = options.adminPort ?? (await freePort());
  const debug = options.debugPort ?? (await freePort());
  const listeners = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`, '--debug', `127.0.0.1:${debug}`];
  const child = spawn(process.execPath, ['src/main.ts', 'serve', ...listeners, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // On a machine that tests keep busy an event loop is late, which says nothing of the gateway: nobody is to be refused for it.
    env: { PATH: process.env['PATH'], POSTERN_LIMITS: 'loopDelay=off', ...options.env },
  });
  let text = '';
  const collect = (chunk: Buffer): void => {
    text += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const adminUrl = `http://127.0.0.1:${admin}`;
  return {
    url: `http://127.0.0.1:${port}`,
    adminUrl,
    debugUrl: `http://127.0.0.1:${debug}`,
    child,
    log: () => text,
    async logged(pattern, after = 0) {
      await until(
        () => pattern.test(text.slice(after)),
        `the log to say ${pattern}`,
        () => text,
      );
    },
    async ready() {
      await until(
        async () => {
          if (child.exitCode !== null) throw new Error(`postern ended with ${child.exitCode}:\n${text}`);
          const response = await fetch(`${adminUrl}/readyz`).catch(() => undefined);
          return response?.ok === true;
        },
        'postern to be ready',
        () => text,
        60_000,
      );
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      return child.exitCode;
    },
  };
}

/** Polls until the condition holds; after `most` milliseconds rejects with what was waited for and the context. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  context: () => string = () => '',
  most = 20_000,
): Promise<void> {
  for (const deadline = Date.now() + most; Date.now() < deadline; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`waited in vain for ${what}\n${context()}`);
}
