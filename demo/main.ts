import { resolve } from 'node:path';
import { type Gateway, startGateway } from './gateway.ts';
import { greeting } from './greeting.ts';
import { copyObjects } from './objects.ts';
import { choosePorts, type Ports } from './ports.ts';
import { startProvider } from './provider.ts';
import { startService } from './service.ts';
import { USERS } from './users.ts';

const ROOT = resolve(import.meta.dirname, '..');
const CLIENT = { clientId: 'postern-demo', clientSecret: 'not-a-secret-only-for-the-demo' };
const CALLBACK = '/_oidc/demo/callback';
const LOGOUT = '/_oidc/demo/logout';

/** `npm run demo`: a provider and a service in this process, the gateway as a child, one terminal for all. */
async function main(): Promise<number> {
  const stopped = nextSignal();
  const choice = await choosePorts(process.env);
  if (!choice.ok) return fail(choice.problems.join('\n'));
  const { ports } = choice;
  const under = resolve(ROOT, process.env['POSTERN_DEMO_DIRECTORY'] ?? '.demo');
  const copy = copyObjects(resolve(ROOT, 'manifests/examples/demo'), under, ports);
  const servers = await startServers(ports).catch(portLost);
  if (servers === undefined) return fail('A port was taken by another program just now. Start the demo again.');
  const gateway = startGateway(ROOT, copy.directory, ports);
  // Whatever ends this process, a bug included, ends the child too.
  process.once('exit', gateway.kill);
  const reason = await serve(gateway, stopped, () => greeting(ports, copy, USERS));
  await gateway.stop();
  await Promise.all(servers.map((server) => server.close()));
  return reason === undefined ? 0 : fail(`The gateway ${reason}; the demo ends with it.`);
}

function startServers(ports: Ports) {
  const site = `http://localhost:${ports.gateway}`;
  const client = {
    ...CLIENT,
    redirectUris: [`${site}${CALLBACK}`],
    postLogoutRedirectUris: [`${site}/open`],
  };
  return Promise.all([
    startProvider({ port: ports.provider, client, resource: site, users: USERS }),
    startService({ port: ports.service, logoutPath: LOGOUT }),
  ]);
}

/** Between choosing a port and listening on it, anybody can take it. */
function portLost(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
}

/** Until a signal (undefined) or the gateway's end (its reason). */
async function serve(gateway: Gateway, stopped: Promise<undefined>, hello: () => string): Promise<string | undefined> {
  const first = await Promise.race([stopped.then(() => 'stopped' as const), gateway.ready]);
  if (first === 'stopped') return undefined;
  if (first === undefined) process.stdout.write(`${hello()}\n`);
  return first ?? Promise.race([stopped, gateway.ended]);
}

/**
 * Resolves at the first signal that means "end". Further ones change nothing, for Ctrl-C comes twice, from the terminal
 * and from npm; that everything ends in a bounded time is the gateway's part.
 */
function nextSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(undefined));
  });
}

function fail(message: string): number {
  process.stderr.write(`\n${message}\n`);
  return 1;
}

process.exit(await main());
