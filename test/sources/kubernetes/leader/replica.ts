import { timers } from '../../../../src/cli/timers.ts';
import { openApi } from '../../../../src/sources/kubernetes/client.ts';
import { createElector } from '../../../../src/sources/kubernetes/leader/elector.ts';

/** A process that only wants to lead: says on its standard output when it does. Arguments: kubeconfig, identity. */
const [kubeconfig, identity = ''] = process.argv.slice(2);
const opened = await openApi({ kubeconfig });
if (!opened.ok) throw new Error(opened.message);
const { api } = opened;

const elector = createElector({
  api,
  namespace: 'default',
  name: 'postern',
  identity,
  now: () => performance.now(),
  wallNow: () => Date.now(),
  random: Math.random,
  timers,
  log: { info() {}, warn() {}, error() {} },
  onChange: (leading) => process.stdout.write(`${leading ? 'begins' : 'ends'} ${Date.now()}\n`),
});
process.once('SIGTERM', () => void elector.stop().then(() => api.close()));
elector.start();
