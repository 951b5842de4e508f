import type { Publication } from '../control/control.ts';
import type { PluginLog } from '../plugins/contract.ts';
import { type ObjectKey, objectText } from '../resources/keys.ts';
import type { Exposure, Verdict } from '../routing/snapshot.ts';
import { placesOf, problemText } from './problem-text.ts';

type Verdicts = ReadonlyMap<ObjectKey, Verdict>;

/**
 * Says in plain lines what a change of objects did: who is open to whom now, and what is wrong where. What was said of
 * the table before isn't said again.
 */
export function tellPublication(publication: Publication, log: PluginLog): void {
  if (publication.previous === undefined) tellStart(publication.verdicts, log);
  else tellExposures(publication, log);
  tellProblems(publication, log);
}

function tellStart(verdicts: Verdicts, log: PluginLog): void {
  const count: Record<Exposure, number> = { Protected: 0, Public: 0, Denied: 0 };
  let routes = 0;
  for (const { exposure } of verdicts.values()) {
    if (exposure === undefined) continue;
    count[exposure] += 1;
    routes += 1;
  }
  log.info(
    {},
    `${routes} ${routes === 1 ? 'Route' : 'Routes'}: ${count.Protected} Protected, ${count.Public} Public, ${count.Denied} Denied`,
  );
}

function tellExposures({ changed }: Publication, log: PluginLog): void {
  for (const { key, before, after } of changed) {
    const exposure = after?.exposure;
    const was = before?.exposure;
    if (exposure === was) continue;
    if (exposure === undefined) {
      log.info({}, `${objectText(key)} is gone (was ${was})`);
      continue;
    }
    const line = `${objectText(key)} is now ${exposure} (${was === undefined ? 'new' : `was ${was}`})`;
    if (exposure === 'Denied') log.warn({}, line);
    else log.info({}, line);
  }
}

function tellProblems({ changed, origins }: Publication, log: PluginLog): void {
  for (const { key, before, after: verdict } of changed) {
    if (verdict === undefined) continue;
    const healed = verdict.problems.length === 0 && (before?.problems.length ?? 0) > 0;
    if (healed) log.info({}, `${objectText(key)} has no problem any more`);
    if (verdict.problems.length === 0 && verdict.warnings.length === 0) continue;
    const said = wordsOf(before);
    for (const problem of verdict.problems)
      if (!said.has(JSON.stringify(problem)))
        for (const place of placesOf(problem, origins.get(key)))
          log.error({ reason: problem.reason }, problemText(key, problem, place));
    for (const warning of verdict.warnings)
      if (!said.has(JSON.stringify(warning)))
        for (const place of placesOf(warning, origins.get(key)))
          log.warn({ reason: warning.reason }, problemText(key, warning, place));
  }
}

const wordsOf = (verdict: Verdict | undefined): ReadonlySet<string> =>
  new Set([...(verdict?.problems ?? []), ...(verdict?.warnings ?? [])].map((problem) => JSON.stringify(problem)));
