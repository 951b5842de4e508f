import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { freePort } from '../support/gateway.ts';
import { watchLog } from './log-watch.ts';
import { pause } from './random.ts';
import type { Tally } from './tally.ts';

export interface ReplicaOptions {
  readonly objects: string;
  readonly keysFile: string;
  /** The port at which browsers believe to be. */
  readonly externalPort: number;
}

/** `--grace` and `--drain`, in milliseconds. */
const GRACE = 2000;
const DRAIN = 30_000;
const READY_WITHIN = 60_000;
/** Beyond grace and drain; two cores may be busy. */
const ENDS_WITHIN = GRACE + DRAIN + 15_000;

/** One gateway process: the real command line. */
export class Replica {
  readonly name: string;
  readonly port: number;
  readonly adminUrl: string;
  readonly pid: number;
  /** Kept connections of clients. */
  readonly agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 64, timeout: 60_000 });
  readonly startedAt = performance.now();
  readonly #child: ChildProcess;
  readonly #tally: Tally;
  #endingSince: number | undefined;

  private constructor(name: string, ports: readonly [number, number], child: ChildProcess, tally: Tally) {
    this.name = name;
    this.#child = child;
    this.#tally = tally;
    [this.port] = ports;
    this.adminUrl = `http://127.0.0.1:${ports[1]}`;
    this.pid = child.pid ?? 0;
    child.once('exit', (code, signal) => {
      if (this.#endingSince === undefined) tally.unexpected(`${name} ended by itself: ${code ?? signal}`);
    });
  }

  /** Resolves when it is ready. */
  static async start(name: string, options: ReplicaOptions, tally: Tally): Promise<Replica> {
    const [port, admin] = [await freePort(), await freePort()];
    const args = [
      ...['--files', options.objects, '--keys-file', options.keysFile, '--external-port', String(options.externalPort)],
      ...['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`, '--debug', 'off'],
      // How late the event loop is on a machine that does other things too says nothing of the gateway.
      ...['--limits', 'loopDelay=off', '--log-format', 'json'],
      ...['--grace', `${GRACE / 1000}s`, '--drain', `${DRAIN / 1000}s`],
    ];
    const child = spawn(process.execPath, ['src/main.ts', 'serve', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const abandon = (): void => void child.kill('SIGKILL');
    process.once('exit', abandon);
    child.once('exit', () => process.off('exit', abandon));
    watchLog(child.stdout, name, tally);
    watchLog(child.stderr, name, tally);
    const replica = new Replica(name, [port, admin], child, tally);
    for (const deadline = Date.now() + READY_WITHIN; !(await replica.isReady()); await pause(50)) {
      if (Date.now() > deadline || child.exitCode !== null) throw new Error(`${name} did not become ready`);
    }
    return replica;
  }

  async isReady(): Promise<boolean> {
    const response = await fetch(`${this.adminUrl}/readyz`).catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok === true;
  }

  get ending(): boolean {
    return this.#endingSince !== undefined;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Whether what is still under way may be cut now: the time for it is over. */
  get mayCut(): boolean {
    return this.#endingSince !== undefined && performance.now() - this.#endingSince > GRACE + DRAIN - 1000;
  }

  /** SIGTERM; resolves with how many milliseconds it took to end. It has to end by itself, with exit code 0. */
  async end(): Promise<number> {
    const since = performance.now();
    this.#endingSince = since;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => {
      this.#tally.unexpected(`${this.name} had not ended after ${ENDS_WITHIN} ms`);
      this.#child.kill('SIGKILL');
    }, ENDS_WITHIN);
    await exited;
    clearTimeout(late);
    this.agent.destroy();
    if (this.#child.exitCode !== 0) this.#tally.unexpected(`${this.name} ended with ${this.#child.exitCode}`);
    return performance.now() - since;
  }
}
