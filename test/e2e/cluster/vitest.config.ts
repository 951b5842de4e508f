import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files are the steps of one scenario, in the order of their names. */
class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}

export default defineConfig({
  test: {
    include: ['test/e2e/cluster/*.e2e.ts'],
    globalSetup: ['test/e2e/cluster/global-setup.ts'],
    setupFiles: ['test/e2e/cluster/support/on-failure.ts'],
    fileParallelism: false,
    sequence: { sequencer: InOrder },
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose', './test/support/summary-reporter.ts'],
  },
});
