import { readFileSync } from 'node:fs';
import type { PluginLog } from '../plugins/contract.ts';
import { derivedLimits } from '../proxy/limits.ts';
import type { Limits } from './read-limits.ts';

/** What the process has open besides connections of clients and upstreams: listeners, watches, logs. */
const OWN_FILES = 128;

/** How many files this process may have open; undefined where the system doesn't say. Node has raised it to the most there is. */
export function openFilesLimit(): number | undefined {
  try {
    const soft = /^Max open files\s+([0-9]+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/**
 * The limits with no more connections than there can be files for, one towards the client and one towards the upstream: a
 * process that runs out of them can reach nobody any more (F48). Says so, for whoever asked for more.
 */
export function fittingLimits(limits: Limits, log: Pick<PluginLog, 'info'>, files: number | undefined): Limits {
  if (files === undefined) return limits;
  const most = Math.max(1, Math.floor((files - OWN_FILES) / 2));
  if (limits.connections <= most) return limits;
  log.info(
    { connections: most, asked: limits.connections, open_files: files },
    'serves fewer connections at a time than its limit: each takes two files, and this process may have only so many open (ulimit -n)',
  );
  const { connectionsPerAddress, handshakes } = limits;
  const derived = derivedLimits(most);
  const perAddress =
    connectionsPerAddress === derivedLimits(limits.connections).connectionsPerAddress
      ? derived.connectionsPerAddress
      : connectionsPerAddress;
  return { ...limits, connections: most, connectionsPerAddress: perAddress, handshakes: Math.min(handshakes, most) };
}
