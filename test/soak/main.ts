import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../support/gateway.ts';
import { startHonestProvider } from '../support/honest-provider.ts';
import { drive, every, oneAtATime } from './drive.ts';
import { KeysFile } from './keys.ts';
import { changes } from './load/changes.ts';
import { abortedDownloads, downloads } from './load/downloads.ts';
import { faults } from './load/faults.ts';
import { logins, requests } from './load/requests.ts';
import { abortedTunnels, tunnels } from './load/tunnels.ts';
import { abortedUploads, tooLarge, uploads } from './load/uploads.ts';
import { baseObjects, CALLBACK, ObjectFiles, pluginObject, secretObject } from './objects.ts';
import { Replicas } from './replicas.ts';
import { ACCOUNTS, Sessions } from './sessions.ts';
import { settle } from './settle.ts';
import { Tally } from './tally.ts';
import { startUpstream } from './upstream.ts';
import { Watch } from './watch.ts';

/**
 * `npm run soak -- --minutes N [--drain-every N]`: two real processes under everything at once (F53, F46, F47). Ends with 1
 * where anything was not as it should be. All of it is on loopback and bounded, at a rate that leaves room for other work.
 */
const USAGE = 'npm run soak -- --minutes N [--drain-every MINUTES]';
const LOADS = [
  ...[requests, logins, uploads, tooLarge, abortedUploads, downloads, abortedDownloads],
  ...[tunnels, abortedTunnels, faults, changes],
];
/** What the second half of a life may add to the resident memory, where it is long enough to tell. */
const MOST_GROWTH_MIB = 64;
const TELLING = 7 * 60_000;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, 'drain-every': { type: 'string', default: '3' } },
});
const minutes = Number(values.minutes);
const drainEvery = Math.min(Number(values['drain-every']), minutes / 3);
if (!(minutes > 0) || !(drainEvery > 0)) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}

const directory = mkdtempSync(join(tmpdir(), 'postern-soak-'));
const keys = new KeysFile(join(directory, 'keys'));
const externalPort = await freePort();
const host = `localhost:${externalPort}`;
const site = new URL(`http://${host}`);
const upstream = await startUpstream();
const provider = await startHonestProvider({ redirectUris: [`${site.origin}${CALLBACK}`], accounts: ACCOUNTS });
const files = new ObjectFiles(join(directory, 'objects'));
files.write('base.yaml', baseObjects(upstream.port));
files.write('plugin.yaml', pluginObject(provider, '10m'));
files.write('secret.yaml', secretObject(provider.clientSecret));

const tally = new Tally();
const watch = new Watch(tally);
const replicas = await Replicas.start({ objects: files.directory, keysFile: keys.path, externalPort }, tally);
const sessions = new Sessions(site, provider, replicas);
sessions.add(await sessions.login());
const exclusive = oneAtATime();
const start = performance.now();
const until = start + minutes * 60_000;
const over = (): boolean => performance.now() > until;
const world = { over, host, replicas, sessions, provider, files, keys, tally, exclusive };
const before = await watch.lookAt(replicas.steady);
if (before === undefined) throw new Error('the first look saw nothing');

tell(
  `soaking for ${minutes} minutes, a drain every ${drainEvery.toFixed(1)}; processes ${replicas.all.map(({ pid }) => pid).join(', ')}`,
);
await Promise.all([
  drive(LOADS, world),
  every(5000, over, () => watch.lookAtAll(replicas)),
  every(60_000, over, async () => report()),
  every(drainEvery * 60_000, over, () =>
    replicas.roll(exclusive).catch((error: unknown) => tally.unexpected(`a drain: ${error}`)),
  ),
]);
watch.loadEnded();
const growth = watch.growth(replicas.steady.name, TELLING);
if (growth !== undefined && growth > MOST_GROWTH_MIB)
  tally.unexpected(`resident memory grew by ${growth.toFixed(0)} MiB in the second half`);
tell('the load has ended');
report();
for (const replica of replicas.serving) replica.agent.destroy();
await settle(replicas.steady, before, upstream, watch, tally);
await replicas.endAll();
upstream.close();
await provider.close();
rmSync(directory, { recursive: true });
tell(tally.failures.length === 0 ? 'nothing unexpected' : `${tally.failures.length} kinds of unexpected things`);
report();
process.exit(tally.failures.length === 0 ? 0 : 1);

function report(): void {
  tell(`after ${((performance.now() - start) / 60_000).toFixed(1)} minutes`);
  for (const line of [...tally.lines(), ...watch.lines()]) process.stdout.write(`  ${line}\n`);
  for (const { what, count, examples } of tally.failures)
    process.stdout.write(`  UNEXPECTED ${count} × ${what}\n${examples.map((each) => `      ${each}\n`).join('')}`);
}

function tell(text: string): void {
  process.stdout.write(`${new Date().toISOString()} ${text}\n`);
}
