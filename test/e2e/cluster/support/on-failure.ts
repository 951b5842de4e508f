import { afterEach } from 'vitest';
import { keepLogs } from './logs.ts';

/** A failure in a cluster can only be understood with what the cluster said then. */
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await keepLogs(task.name);
});
