import { untilListening } from '../listening.ts';
import { startPinned } from '../process.ts';
import { type Contender, PROXY_CORE } from './contender.ts';

export const EXTERNAL_USAGE =
  'BENCH_CONTENDER="NAME|URL|COOKIE|COMMAND" has data-path measure a further proxy (an oauth2-proxy, an Envoy): COMMAND is run by a shell ' +
  'on the core of the proxies with UPSTREAM in its environment, the load goes to URL, on loopback, with COOKIE (may be empty).';

/** A further contender that whoever runs the bench names; undefined: none. */
export async function startExternal(upstreamPort: number): Promise<Contender | undefined> {
  const text = process.env['BENCH_CONTENDER'];
  if (text === undefined || text === '') return undefined;
  const [name, url, cookie, ...command] = text.split('|');
  if (name === undefined || url === undefined || cookie === undefined || command.length === 0)
    throw new Error(EXTERNAL_USAGE);
  const upstream = { UPSTREAM: `http://127.0.0.1:${upstreamPort}` };
  const started = startPinned(PROXY_CORE, ['sh', '-c', `exec ${command.join('|')}`], undefined, upstream);
  await untilListening(Number(new URL(url).port));
  const headers = cookie === '' ? [] : [`Cookie: ${cookie}`];
  return { name, url, pid: started.pid, headers, stop: () => started.stop() };
}
