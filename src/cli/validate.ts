import type { PluginKind } from '../plugins/contract.ts';
import type { ValidateSettings } from '../settings.ts';
import { clusterChecker } from './cluster-check.ts';
import { paint } from './colour.ts';
import { filesPipeline } from './pipeline.ts';
import { type Checker, filesChecker, type Validation, validateFiles } from './validation.ts';
import { validationText } from './validation-text.ts';

/** `postern validate`: gives what to print, and whether there are problems. */
export async function validate(
  settings: ValidateSettings,
  kinds: readonly PluginKind[],
): Promise<{ readonly text: string; readonly ok: boolean }> {
  const validation = await validateFiles(settings.paths, checkerOf(settings, kinds));
  const ok = validation.problems.length === 0;
  const text = settings.output === 'json' ? json(validation, ok) : validationText(validation, paint(settings.colour));
  return { text: isForCluster(settings, validation) ? `${text}\n${OTHERWISE}` : text, ok };
}

/** Most likely the wrong question was asked. */
const isForCluster = ({ cluster, output }: ValidateSettings, { problems }: Validation): boolean =>
  cluster === undefined && output === 'text' && problems.some(({ field }) => field === 'spec.backendRef');
const OTHERWISE = 'Manifests for a cluster are checked with postern validate --kubernetes.\n';

const checkerOf = (settings: ValidateSettings, kinds: readonly PluginKind[]): Checker =>
  settings.cluster === undefined
    ? filesChecker(filesPipeline(kinds, settings))
    : clusterChecker(kinds, settings, settings.cluster);

function json({ objects, problems, warnings, notChecked, routes }: Validation, ok: boolean): string {
  // For scripts every field is there, whatever its value.
  const nulls = (_: string, value: unknown): unknown => value ?? null;
  return `${JSON.stringify({ ok, objects, problems, warnings, notChecked, routes }, nulls, 2)}\n`;
}
