import { ask } from '../client.ts';
import { pluginObject, publicRoute, secretObject } from '../objects.ts';
import { between, pause } from '../random.ts';
import type { Load, SoakWorld } from '../world.ts';

/** A change is live within a second; the machine may be busy. */
const LIVE_WITHIN = 15_000;
const MOST_KEYS = 3;

/** Objects come, break, are mended and go, and what they say is served at every replica soon; all else goes on meanwhile. */
export const changes: Load = {
  kind: 'changes of objects',
  workers: 1,
  pause: 5000,
  once: (world) => world.exclusive(() => (STEPS[between(0, STEPS.length - 1)] ?? comesAndGoes)(world)),
};

async function comesAndGoes(world: SoakWorld): Promise<string> {
  const path = `/extra-${between(1, 1_000_000)}`;
  world.files.write('extra.yaml', publicRoute('extra', path));
  await until(world, path, 200);
  world.files.write('extra.yaml', publicRoute('extra', path, 'nowhere'));
  await until(world, path, 503);
  world.files.write('extra.yaml', publicRoute('extra', path));
  await until(world, path, 200);
  world.files.remove('extra.yaml');
  await until(world, path, 404);
  return 'route added, broken, mended, removed';
}

/** The whole last state stays, so a new Route in another file isn't there before the broken one is mended. */
async function noYaml(world: SoakWorld): Promise<string> {
  const path = `/late-${between(1, 1_000_000)}`;
  world.files.write('junk.yaml', 'kind: [Route\n  {');
  await pause(2000);
  world.files.write('extra.yaml', publicRoute('extra', path));
  await pause(3000);
  const { status } = await ask(world.replicas.steady, { host: world.host, path });
  world.files.remove('junk.yaml');
  if (status !== 404) throw new Error(`${status} of a directory that can't be read`);
  await until(world, path, 200);
  world.files.remove('extra.yaml');
  await until(world, path, 404);
  return 'broken file, mended';
}

/** The new one isn't known to the provider yet, then the old one is taken back: logins go on throughout. */
async function secretRotated(world: SoakWorld): Promise<string> {
  world.files.write('secret.yaml', secretObject(`new-${between(1, 1_000_000)}`, world.provider.clientSecret));
  await pause(6000);
  world.files.write('secret.yaml', secretObject(world.provider.clientSecret));
  await pause(1500);
  return 'client secret rotated';
}

/** Another instance of the plugin takes the place of the one before; sessions go on. */
async function pluginChanged(world: SoakWorld): Promise<string> {
  world.files.write('plugin.yaml', pluginObject(world.provider, `${between(8, 20)}m`));
  await pause(1500);
  return 'plugin changed';
}

/** Sessions that older keys sealed go on, and those that the new one will seal. */
async function keyAdded(world: SoakWorld): Promise<string> {
  if (world.keys.count < MOST_KEYS) {
    world.keys.add();
    await pause(3000);
    return 'key added';
  }
  world.keys.break();
  await pause(3000);
  world.keys.mend();
  await pause(3000);
  return 'keys broken, mended';
}

const STEPS = [comesAndGoes, comesAndGoes, noYaml, secretRotated, pluginChanged, keyAdded];

async function until(world: SoakWorld, path: string, status: number): Promise<void> {
  for (const deadline = performance.now() + LIVE_WITHIN; ; await pause(100)) {
    const others: string[] = [];
    for (const replica of world.replicas.serving) {
      if (replica.ending) continue;
      const found = (await ask(replica, { host: world.host, path: `${path}/small` })).status;
      if (found !== status && !replica.ending) others.push(`${replica.name} answers ${found}`);
    }
    if (others.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`a change to ${status} was not live within ${LIVE_WITHIN} ms: ${others.join(', ')}`);
  }
}
