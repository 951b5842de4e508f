import type { Reporter, TestModule } from 'vitest/node';

/**
 * Closes a run with what was skipped, each by name with the reason that its title gives, and with one line
 * `N passed, N failed, N skipped`. With CI set, anything skipped fails the run: CI has all the parts.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    // A file that doesn't load and an error outside a test are failures that no test stands for.
    let failed = errors.length;
    const skipped: string[] = [];
    for (const module of modules) {
      const before = failed;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
        else skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
      if (module.state() === 'failed' && failed === before) failed += 1;
    }
    if (skipped.length > 0) {
      console.log('Skipped, by name:');
      for (const name of skipped) console.log(`  ${name}`);
    }
    if (process.env['CI'] !== undefined && skipped.length > 0) {
      console.log('CI has every part, so nothing may be skipped there.');
      process.exitCode = 1;
    }
    console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  }
}
