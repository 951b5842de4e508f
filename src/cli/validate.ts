import type { PluginKind } from '../plugins/contract.ts';
import type { ValidateSettings } from '../settings.ts';
import { paint } from './colour.ts';
import { filesPipeline } from './pipeline.ts';
import { type Validation, validateFiles } from './validation.ts';
import { validationText } from './validation-text.ts';

/** `postern validate`: gives what to print, and whether there are problems. */
export async function validate(
  settings: ValidateSettings,
  kinds: readonly PluginKind[],
): Promise<{ readonly text: string; readonly ok: boolean }> {
  const validation = await validateFiles(settings.paths, filesPipeline(kinds, settings));
  const ok = validation.problems.length === 0;
  const text = settings.output === 'json' ? json(validation, ok) : validationText(validation, paint(settings.colour));
  return { text, ok };
}

function json({ objects, problems, warnings, routes }: Validation, ok: boolean): string {
  // For scripts every field is there, whatever its value.
  const nulls = (_: string, value: unknown): unknown => value ?? null;
  return `${JSON.stringify({ ok, objects, problems, warnings, routes }, nulls, 2)}\n`;
}
