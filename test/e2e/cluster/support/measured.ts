import type { Image } from './environment.ts';
import { jsonPath, kubectl } from './kubernetes.ts';
import { NAMESPACES } from './site.ts';

const { system } = NAMESPACES;

/** Bytes that an image takes in a node, as the kubelet counts them. */
export async function imageSize({ repository, tag }: Image): Promise<number> {
  const lines = await jsonPath('{range .items[*].status.images[*]}{.sizeBytes} {.names}{"\\n"}{end}', 'nodes');
  const name = `${repository}:${tag}"`;
  const line = lines.split('\n').find((each) => each.includes(`/${name}`) || each.includes(`"${name}`));
  if (line === undefined) throw new Error(`no node has ${repository}:${tag}:\n${lines}`);
  return Number.parseInt(line, 10);
}

interface StartTimes {
  /** Seconds from the start of the process to its log line that it serves. */
  readonly serves: number;
  /** Seconds from the container's start to the Pod's Ready; both are whole seconds in the Pod's status. */
  readonly ready: number;
}

/** When the process began, in milliseconds: the kernel counts from boot, in hundredths of a second. */
const BEGAN = `const { readFileSync: r } = require('fs');
const ticks = Number(r('/proc/1/stat', 'utf8').split(') ')[1].split(' ')[19]);
console.log(Date.now() - (Number(r('/proc/uptime', 'utf8').split(' ')[0]) - ticks / 100) * 1000)`;

/** How long the present container of a Pod took to start. */
export async function startTimes(pod: string): Promise<StartTimes> {
  const began = Number(await kubectl('exec', '-n', system, pod, '--', '/nodejs/bin/node', '-e', BEGAN));
  const log = await kubectl('logs', '-n', system, pod);
  const line = log.split('\n').find((each) => / serves"\}$/.test(each)) ?? '{}';
  const serves = Date.parse(JSON.parse(line).time) - began;
  const started = '{.status.containerStatuses[0].state.running.startedAt}';
  const ready = '{.status.conditions[?(@.type=="Ready")].lastTransitionTime}';
  const [from = '', to = ''] = (await jsonPath(`${started} ${ready}`, 'pod', pod, '-n', system)).split(' ');
  return { serves: serves / 1000, ready: (Date.parse(to) - Date.parse(from)) / 1000 };
}
