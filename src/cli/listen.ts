import { variableOf } from './option.ts';
import type { Endpoint } from './values.ts';

/** Why the process can't start, in words for the person who started it. Not a bug. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}

/** @throws StartFailure that names the setting, where the address can't be had. */
export async function listening<T>(flag: string, endpoint: Endpoint, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = EXPLAINED[code];
    if (why === undefined) throw error;
    throw new StartFailure(
      `${addressText(endpoint)} ${why}: choose another with --${flag} ADDRESS:PORT or the variable ${variableOf(flag)}`,
    );
  }
}

const EXPLAINED: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program',
  EACCES: 'may not be used by this user (ports below 1024 are privileged)',
  EADDRNOTAVAIL: 'is no address of this machine',
  EAFNOSUPPORT: 'is of a kind that this machine does not have (IPv6 may be off)',
};

/** `127.0.0.1:8080`, `[::1]:8080`. */
export const addressText = ({ host, port }: Endpoint): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
