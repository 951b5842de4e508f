import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { pythonWebsockets } from './parts.ts';

const SCRIPT = join(import.meta.dirname, 'websocket-peer.py');

export interface EchoServer {
  readonly port: number;
  close(): Promise<void>;
}

/** The server of python3-websockets: every message comes back. */
export async function startEchoServer(): Promise<EchoServer> {
  const child = spawn(pythonWebsockets.path, [SCRIPT, 'serve'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(createInterface(child.stdout), 'line');
  return {
    port: Number(port),
    async close() {
      const closed = once(child, 'close');
      child.kill();
      await closed;
    },
  };
}

export interface Asked {
  readonly status: number;
  readonly close?: number;
  /** Of `/headers`: what the server saw. */
  readonly first?: readonly (readonly [string, string])[];
}

/** The client of python3-websockets: sends messages of many sizes and checks that they come back. Rejects where they don't. */
export async function askEcho(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Asked> {
  const { stdout } = await promisify(execFile)(pythonWebsockets.path, [SCRIPT, 'ask', url, JSON.stringify(headers)]);
  return JSON.parse(stdout) as Asked;
}
