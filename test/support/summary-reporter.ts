import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestModule } from 'vitest/node';
import { type Failure, failureLines } from './failure-lines.ts';

/**
 * Closes a run with what was skipped, each by name with the reason that its title gives, with what failed, each by name
 * with the first lines of why, as what passed at a second attempt only, and with one line `N passed, N failed, N skipped`: whoever sees the end of a log knows all
 * of it. With CI set, anything skipped fails the run: CI has all the parts.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly Thrown[]): void {
    let passed = 0;
    const skipped: string[] = [];
    const flaky: Failure[] = [];
    // A file that doesn't load, a hook that throws and an error outside a test are failures that no test stands for.
    const failed: Failure[] = errors.map((error) => ({ name: 'outside of any test', why: toldOf([error]) }));
    for (const module of modules) {
      const before = failed.length;
      for (const test of module.children.allTests()) {
        const { state, errors: of } = test.result();
        const name = `${module.relativeModuleId} > ${test.fullName}`;
        if (state === 'passed') {
          passed += 1;
          if (test.diagnostic()?.flaky === true) flaky.push({ name, why: toldOf(of) });
        } else if (state === 'failed') failed.push({ name, why: toldOf(of) });
        else skipped.push(name);
      }
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0)
          failed.push({ name: `${module.relativeModuleId} > ${suite.fullName}`, why: toldOf(suite.errors()) });
      }
      if (module.state() === 'failed' && (failed.length === before || module.errors().length > 0))
        failed.push({ name: module.relativeModuleId, why: toldOf(module.errors()) });
    }
    if (skipped.length > 0) say('Skipped, by name:', ...skipped.map((name) => `  ${name}`));
    if (process.env['CI'] !== undefined && skipped.length > 0) {
      say('CI has every part, so nothing may be skipped there.');
      process.exitCode = 1;
    }
    if (flaky.length > 0) say('Passed at the second attempt only, by name:', ...failureLines(flaky));
    if (failed.length > 0) say('Failed, by name:', ...failureLines(failed));
    say(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  }
}

interface Thrown {
  readonly message?: string;
  /** Lines of what was expected, with `-`, and of what was received, with `+`, and of what is equal. */
  readonly diff?: string;
  readonly stacks?: readonly { readonly file: string; readonly line: number }[];
}

/** What each error says, how it differs, and where it was thrown. */
function toldOf(errors: readonly Thrown[] | undefined): readonly string[] {
  return (errors ?? []).flatMap(({ message = 'no message', diff = '', stacks = [] }) => {
    const differs = stripVTControlCharacters(diff)
      .split('\n')
      .filter((line) => /^[-+]/.test(line) && !/^(- Expected|\+ Received)\b/.test(line));
    const at = stacks.slice(0, 1).map(({ file, line }) => `at ${relative(process.cwd(), file)}:${line}`);
    return [...stripVTControlCharacters(message).split('\n'), ...differs, ...at];
  });
}

const say = (...lines: readonly string[]): void => console.log(lines.join('\n'));
