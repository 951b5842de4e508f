import { pause } from './random.ts';
import type { Load, SoakWorld } from './world.ts';

/** Keeps all kinds of load going until it is over; resolves when the last one has ended. */
export async function drive(loads: readonly Load[], world: SoakWorld): Promise<void> {
  const work = async (load: Load): Promise<void> => {
    while (!world.over()) {
      await world.tally.measure(load.kind, () => load.once(world));
      await pause(-Math.log(1 - Math.random()) * load.pause);
    }
  };
  await Promise.all(loads.flatMap((load) => Array.from({ length: load.workers }, () => work(load))));
}

/** Does something in turns until told to stop. */
export async function every(milliseconds: number, stopped: () => boolean, run: () => Promise<void>): Promise<void> {
  for (let next = performance.now() + milliseconds; !stopped(); ) {
    if (performance.now() < next) {
      await pause(Math.min(250, milliseconds));
      continue;
    }
    await run();
    next = Math.max(next + milliseconds, performance.now());
  }
}

/** Runs what it is given one after another. */
export function oneAtATime(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const mine = last.then(run, run);
    last = mine.catch(() => {});
    return mine;
  };
}
