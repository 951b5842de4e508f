import type { Source } from '../control/source.ts';
import type { PluginLog } from '../plugins/contract.ts';
import { type FileProblem, formatFileProblem, type ObjectCheck } from '../sources/files/problem.ts';
import { openFiles } from '../sources/files/source.ts';
import { StartFailure } from './listen.ts';

/** @throws StartFailure where a file of the directory can't be used: there is no good state yet that could stay. */
export async function openSource(directory: string, check: ObjectCheck, log: PluginLog): Promise<Source> {
  const opened = await openFiles({
    directory,
    check,
    report: {
      broken(problems) {
        for (const line of lines(problems)) log.error({}, line);
        log.error({}, 'the objects from before stay, all of them, until every file can be used again');
      },
      mended() {
        log.info({}, 'every file can be used again');
      },
    },
  });
  if (opened.ok) return opened.source;
  throw new StartFailure(`the objects can't be used:\n${lines(opened.problems).join('\n')}`);
}

const MOST_LINES = 50;

function lines(problems: readonly FileProblem[]): readonly string[] {
  const shown = problems.slice(0, MOST_LINES).map(formatFileProblem);
  return problems.length > MOST_LINES ? [...shown, `and ${problems.length - MOST_LINES} more`] : shown;
}
