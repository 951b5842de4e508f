import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program of somebody else that runs beside a test. */
export interface PeerProcess {
  readonly port: number;
  /** A directory of its own, removed at the end. */
  readonly directory: string;
  /** What it said on both outputs. */
  output(): string;
  /** Ends it, so that all is written that it has to say, and leaves the directory. */
  end(): Promise<void>;
  stop(): Promise<void>;
}

export interface PeerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program that listens on a port that it is told; resolves once somebody accepts connections there. */
export async function startPeer(
  command: (directory: string, port: number) => PeerCommand,
  port?: number,
): Promise<PeerProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-peer-'));
  const own = port ?? (await unusedPort());
  const { program, args, env = {} } = command(directory, own);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
    });
  const exited = new Promise<void>((resolve) => child.on('close', () => resolve()));
  await listens(own, child, () => output);
  const end = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    const slow = setTimeout(() => child.kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(slow);
  };
  return {
    port: own,
    directory,
    output: () => output,
    end,
    async stop() {
      await end();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A port that nobody listens on. */
export function unusedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = address === null || typeof address === 'string' ? 0 : address.port;
      server.close(() => resolve(port));
    });
  });
}

async function listens(port: number, child: ChildProcess, output: () => string): Promise<void> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; ) {
    if (child.exitCode !== null) break;
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  child.kill('SIGKILL');
  throw new Error(`${child.spawnfile} does not listen on port ${port}:\n${output()}`);
}
