import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two shared cores: no test depends on a tight timing, so the limits are wide.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // On a machine that others keep busy a process may be starved for seconds. What passes at a second attempt only is named at the
    // end of a run, with why it failed at the first, and is looked into like a failure.
    retry: process.env['CI'] === undefined ? 0 : 1,
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
