import { execFile } from 'node:child_process';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  /** Its standard input. */
  readonly input?: string;
  readonly cwd?: string;
}

/** Runs a program of PATH. Never rejects for an exit code. */
export function run(program: string, args: readonly string[], { input = '', cwd }: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 64 * 2 ** 20, cwd }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** As `run`, for what has to succeed; gives the standard output. */
export async function must(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await run(program, args, options);
  if (ran.code === 0) return ran.stdout;
  throw new Error(`${program} ${args.join(' ')}\nended with ${ran.code}:\n${ran.stderr}${ran.stdout}`);
}
