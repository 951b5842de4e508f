import { spawn } from 'node:child_process';
import type { Ports } from './ports.ts';

/** The real command line as a child process. */
export interface Gateway {
  /** Resolves with undefined when it serves, or with the reason why it never will. */
  readonly ready: Promise<string | undefined>;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL where that doesn't help in time. */
  stop(): Promise<void>;
  kill(): void;
}

const READY_WITHIN = 30_000;
const STOPS_WITHIN = 5000;

/** `postern serve` over a directory of objects, started from the repository's root. */
export function startGateway(root: string, objects: string, ports: Ports): Gateway {
  const listeners = [
    ['--listen', `127.0.0.1:${ports.gateway}`],
    ['--admin', `127.0.0.1:${ports.metrics}`],
    ['--debug', `127.0.0.1:${ports.debug}`],
  ].flat();
  // A process group of its own: Ctrl-C in the terminal reaches only the demo, which then ends everything in order.
  const child = spawn(
    process.execPath,
    ['src/main.ts', 'serve', '--files', objects, ...listeners, '--log-format', 'text', '--drain', '1s'],
    { cwd: root, env: withoutOurs(process.env), stdio: ['ignore', 'inherit', 'inherit'], detached: true },
  );
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
    );
  });
  const stopped = { is: false };
  void ended.then(() => {
    stopped.is = true;
  });
  return {
    ready: Promise.race([ended, answers(`http://127.0.0.1:${ports.metrics}/readyz`, () => stopped.is)]),
    ended,
    async stop() {
      if (!stopped.is) child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN);
      await ended;
      clearTimeout(late);
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

async function answers(url: string, given: () => boolean): Promise<string | undefined> {
  for (const deadline = Date.now() + READY_WITHIN; Date.now() < deadline && !given(); ) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok === true) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return `did not become ready within ${READY_WITHIN / 1000} seconds`;
}

/** The command line refuses variables of its own prefix that it doesn't know. */
function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('POSTERN_DEMO_')));
}
