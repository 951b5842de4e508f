import type { Parsed } from '../../src/resources/resource.ts';
import type { ParsedChange, ParsedObjects } from '../../src/routing/changes.ts';
import { CompileMemory, compileSteps } from '../../src/routing/compile.ts';
import type { CompileOptions } from '../../src/routing/options.ts';
import type { Compiled } from '../../src/routing/snapshot.ts';
import { finish } from '../../src/routing/steps.ts';
import { parseOne } from './support.ts';

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

/**
 * Compiles one state after the other with one memory, as the control loop does. Values that are the same in two states are
 * parsed once. The verdicts are those of the last state.
 */
export function inSuccession(
  options: CompileOptions,
  vouched: boolean,
): { readonly compile: (values: readonly unknown[]) => Compiled } {
  const memory = new CompileMemory();
  const next = moments();
  const known = new Map<unknown, { readonly id: string; readonly parsed: Parsed | undefined }>();
  return {
    compile(values) {
      const state = new Map<string, Parsed>();
      for (const value of values) {
        const one = known.get(value) ?? { id: `${known.size}`, parsed: parseOne(value, vouched) };
        known.set(value, one);
        if (one.parsed !== undefined) state.set(one.id, one.parsed);
      }
      return finish(compileSteps(next(state), options, memory));
    },
  };
}
