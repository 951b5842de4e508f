import { PEM_CHECKS } from '../proxy/tls/pem-checks.ts';
import type { ExternalAddress } from '../resources/external.ts';
import { identityHeaders } from '../resources/identity-headers.ts';
import type { ParseOptions, PluginParser } from '../resources/parse.ts';
import { parseObject } from '../resources/parse.ts';
import { problem } from '../resources/problem.ts';
import type { Parsed } from '../resources/resource.ts';
import type { ParsedObjects } from '../routing/changes.ts';
import { CompileMemory, type CompileOptions, compile, compileSteps } from '../routing/compile.ts';
import type { ClusterMode, PemChecks } from '../routing/options.ts';
import type { PluginRules } from '../routing/plugin-rules.ts';
import type { Compiled } from '../routing/snapshot.ts';
import type { Steps } from '../routing/steps.ts';
import type { ObjectCheck } from '../sources/files/problem.ts';
import { fieldText } from './problem-text.ts';

/** What objects are read and compiled with, for the whole life of a process. */
export interface Installation {
  readonly class: string;
  readonly external: ExternalAddress;
  /** Names, or prefixes that end in `*`, besides the fixed set. */
  readonly identityHeaders: readonly string[];
}

/** The pure steps of the control loop: the same for `serve` and `validate`. */
export interface Pipeline {
  readonly check: ObjectCheck;
  /** Undefined: not one of ours. */
  parse(value: unknown): Parsed | undefined;
  /** With a memory of the runs before: one run at a time. */
  compile(objects: ParsedObjects): Steps<Compiled>;
  /** At once, and from scratch. */
  compileAlone(objects: readonly Parsed[]): Compiled;
}

/** The same for objects of an API server. `mode`: as of each compiling. */
export function clusterPipeline(
  kinds: readonly (PluginRules & PluginParser)[],
  installation: Installation,
  mode: () => ClusterMode,
  pems: PemChecks = PEM_CHECKS,
): Pipeline {
  const options = { class: installation.class, defaultNamespace: undefined, fallbackName: '(unnamed)' };
  const fixed = {
    plugins: kinds,
    external: installation.external,
    identityHeaders: identityHeaders(installation.identityHeaders),
    pems,
  };
  const memory = new CompileMemory();
  return {
    ...parsing(kinds, options),
    compile: (objects) => compileSteps(objects, { ...fixed, mode: mode() }, memory),
    compileAlone: (objects) => compile(objects, { ...fixed, mode: mode() }),
  };
}

export function filesPipeline(kinds: readonly (PluginRules & PluginParser)[], installation: Installation): Pipeline {
  const options = { class: installation.class, defaultNamespace: 'default', fallbackName: '(unnamed)' };
  const compileOptions: CompileOptions = {
    plugins: kinds,
    external: installation.external,
    mode: { kind: 'Files' },
    identityHeaders: identityHeaders(installation.identityHeaders),
    pems: PEM_CHECKS,
  };
  const memory = new CompileMemory();
  return {
    ...parsing(kinds, options),
    compile: (objects) => compileSteps(objects, compileOptions, memory),
    compileAlone: (objects) => compile(objects, compileOptions),
  };
}

const parsing = (kinds: readonly PluginParser[], options: ParseOptions): Pick<Pipeline, 'check' | 'parse'> => ({
  check(value) {
    const parsed = parseObject(value, kinds, options);
    if ('ok' in parsed || parsed.kind === 'Foreign') return undefined;
    return problem(parsed.problem.reason, parsed.problem.path, fieldText(parsed.problem));
  },
  parse(value) {
    const parsed = parseObject(value, kinds, options);
    return 'ok' in parsed ? parsed : undefined;
  },
});
