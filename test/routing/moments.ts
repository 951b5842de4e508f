import type { Parsed } from '../../src/resources/resource.ts';
import type { ParsedChange, ParsedObjects } from '../../src/routing/changes.ts';

/** Turns states, one after the other, into what changed from each to the next, as the control loop does. */
export function moments(): (state: ReadonlyMap<string, Parsed>) => ParsedObjects {
  let before: ReadonlyMap<string, Parsed> = new Map();
  let moment = 0;
  return (state) => {
    const changes = new Map<string, ParsedChange>();
    for (const id of new Set([...before.keys(), ...state.keys()])) {
      const change = { before: before.get(id), after: state.get(id) };
      if (change.before !== change.after) changes.set(id, change);
    }
    before = new Map(state);
    moment += 1;
    return { all: before, changes, moment };
  };
}
