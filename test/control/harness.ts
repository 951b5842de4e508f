import { filesPipeline, type Pipeline } from '../../src/cli/pipeline.ts';
import { type Control, type ControlOptions, createControl, type Publication } from '../../src/control/control.ts';
import type { PluginKind, PluginLog, PluginWorld } from '../../src/plugins/contract.ts';
import { type HandTime, handTime } from '../support/hand-time.ts';
import { ANY_NETWORK } from '../support/network.ts';
import { type TinyLife, tinyKind } from '../support/tiny-plugin.ts';
import { type ScriptedSource, scriptedSource } from './objects.ts';

/** The real control loop with the real parser and compiler, over a source and a clock that move by hand. */
export interface Harness {
  readonly control: Control;
  readonly source: ScriptedSource;
  readonly time: HandTime;
  readonly life: TinyLife;
  readonly publications: Publication[];
  readonly reconciles: ('published' | 'unchanged' | 'failed')[];
  readonly logged: string[];
  /** Objects that were parsed, by their turn. */
  readonly parses: unknown[];
  /** Lets what was marked be compiled. */
  settle(): void;
}

export function harness(
  over: { readonly kinds?: readonly PluginKind[]; readonly source?: ScriptedSource } & Partial<
    Pick<ControlOptions, 'compile' | 'onPublished' | 'metrics' | 'nextTurn' | 'sliceMs'>
  > = {},
): Harness {
  const life: TinyLife = { instances: [] };
  const kinds = over.kinds ?? [tinyKind(life)];
  const source = over.source ?? scriptedSource();
  const time = handTime();
  const publications: Publication[] = [];
  const reconciles: Harness['reconciles'] = [];
  const logged: string[] = [];
  const parses: unknown[] = [];
  const log: PluginLog = {
    info: () => {},
    warn: () => {},
    error: (_, message) => {
      logged.push(message);
    },
  };
  const control = createControl({
    source,
    kinds,
    parse(value) {
      parses.push(value);
      return pipeline(kinds).parse(value);
    },
    compile: over.compile ?? pipeline(kinds).compile,
    world: () => world(log),
    timers: time.timers,
    nextTurn: over.nextTurn ?? ((run) => run()),
    ...(over.sliceMs === undefined ? {} : { sliceMs: over.sliceMs }),
    now: time.now,
    log,
    metrics: over.metrics ?? {
      reconciled: (result) => reconciles.push(result),
      published: () => {},
    },
    onPublished:
      over.onPublished ??
      ((publication) => {
        publications.push(publication);
      }),
  });
  return {
    control,
    source,
    time,
    life,
    publications,
    reconciles,
    logged,
    parses,
    settle() {
      time.move(250);
    },
  };
}

export const pipeline = (kinds: readonly PluginKind[]): Pipeline =>
  filesPipeline(kinds, { class: 'postern', external: { scheme: 'http', port: 8080 }, identityHeaders: [] });

export function world(log: PluginLog): PluginWorld {
  return {
    now: () => 0,
    random: (bytes) => Buffer.alloc(bytes),
    keys: {
      sealing() {
        throw new Error('the tiny plugin seals nothing');
      },
      opening: () => undefined,
    },
    observe: () => {},
    log,
    network: ANY_NETWORK,
  };
}
