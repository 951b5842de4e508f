import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc/PID/stat per second on Linux, which has been 100 for user space since 2.6. */
const TICKS_PER_SECOND = 100;

export interface Pinned {
  readonly child: ChildProcess;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a program on the given cores only (`0`, `0,1`), its standard output going to a file where one is named. */
export function startPinned(
  cores: string,
  command: readonly string[],
  output?: string,
  environment: Readonly<Record<string, string>> = {},
): Pinned {
  const child = spawn('taskset', ['-c', cores, ...command], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', output === undefined ? 'ignore' : openSync(output, 'w'), 'inherit'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`could not start ${command.join(' ')}`);
  return {
    child,
    pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** User and system time of a process and all its descendants, in seconds. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const member of tree(pid)) {
    const fields = stat(member);
    // Fields 14 and 15 of proc(5), counted from after the command name, which may hold blanks.
    if (fields !== undefined) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory of one process, in bytes. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}

function tree(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    const fields = stat(Number(name));
    if (fields === undefined) continue;
    const parent = Number(fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all = [root];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

function stat(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
