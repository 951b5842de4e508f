import { connect } from 'node:net';
import { type Reservation, reservePort } from './listen.ts';

const LISTENERS = [
  ['gateway', 'POSTERN_DEMO_GATEWAY_PORT', 8080],
  ['provider', 'POSTERN_DEMO_PROVIDER_PORT', 8081],
  ['service', 'POSTERN_DEMO_SERVICE_PORT', 8082],
  ['metrics', 'POSTERN_DEMO_METRICS_PORT', 9090],
  ['debug', 'POSTERN_DEMO_DEBUG_PORT', 9091],
] as const;

type Listener = (typeof LISTENERS)[number][0];
export type Ports = Readonly<Record<Listener, number>>;
export type Choice =
  | { readonly ok: true; readonly ports: Ports }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The demo's ports, by environment or default, each of them free a moment ago; or everything that is wrong with them. */
export async function choosePorts(environment: Readonly<Record<string, string | undefined>>): Promise<Choice> {
  const problems: string[] = [];
  const ports: Record<Listener, number> = { gateway: 0, provider: 0, service: 0, metrics: 0, debug: 0 };
  const taken = new Map<number, string>();
  // Held until all are chosen: the system could give one that was let go of once more.
  const held: Reservation[] = [];
  for (const [listener, variable, usual] of LISTENERS) {
    const wanted = environment[variable] ?? String(usual);
    const port = /^[0-9]{1,5}$/.test(wanted) ? Number(wanted) : Number.NaN;
    if (!(port <= 65_535)) {
      problems.push(`${variable} is “${wanted}”. Write a port from 1 to 65535, or 0 for any that is free.`);
      continue;
    }
    const other = taken.get(port);
    if (port !== 0 && other !== undefined) {
      problems.push(`${variable} and ${other} are both ${port}. Give each a port of its own.`);
      continue;
    }
    const found = await reserve(port);
    if ('port' in found) {
      held.push(found);
      ports[listener] = found.port;
      taken.set(found.port, variable);
    } else problems.push(`${explain(listener, port, found.code)} ${advice(variable)}`);
  }
  await Promise.all(held.map((each) => each.release()));
  return problems.length === 0 ? { ok: true, ports } : { ok: false, problems };
}

async function reserve(port: number): Promise<Reservation | { readonly code: string }> {
  try {
    // Browsers try ::1 first for `localhost`: whoever listens there would get what is meant for the gateway.
    if (port !== 0 && (await answersOnIpv6(port))) return { code: 'EADDRINUSE' };
    return await reservePort(port);
  } catch (error) {
    return { code: error instanceof Error && 'code' in error ? String(error.code) : String(error) };
  }
}

function answersOnIpv6(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '::1', port });
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

function explain(listener: Listener, port: number, code: string): string {
  if (code === 'EADDRINUSE') return `Port ${port}, for the ${listener}, is taken by another program.`;
  if (code === 'EACCES') return `Port ${port}, for the ${listener}, is not allowed for this user.`;
  return `Port ${port}, for the ${listener}, can't be listened on: ${code}.`;
}

const advice = (variable: string): string =>
  `Choose another one with ${variable}, for example: ${variable}=0 npm run demo`;
