import { pause } from './random.ts';
import type { Replica } from './replica.ts';
import type { Sample } from './samples.ts';
import type { Tally } from './tally.ts';
import type { SoakUpstream } from './upstream.ts';
import type { Watch } from './watch.ts';

/** Kept connections to upstreams go after four seconds, halves of tunnels after five. */
const WITHIN = 45_000;
/** Connections to the provider and of the scrape may be kept. */
const SPARE_FDS = 8;

/** With no client left, everything has to be given back: connections, tunnels, descriptors (F46). */
export async function settle(
  replica: Replica,
  before: Sample,
  upstream: SoakUpstream,
  watch: Watch,
  tally: Tally,
): Promise<void> {
  let left = 'nothing was seen';
  for (const deadline = performance.now() + WITHIN; performance.now() < deadline; await pause(1000)) {
    const now = await watch.lookAt(replica);
    if (now === undefined) continue;
    left = [
      now.connections > 0 ? `${now.connections} connections` : '',
      now.tunnels > 0 ? `${now.tunnels} tunnels` : '',
      now.inFlight > 0 ? `${now.inFlight} requests in flight` : '',
      now.upstreamConnections > 0 ? `${now.upstreamConnections} connections to upstreams` : '',
      now.fds > before.fds + SPARE_FDS ? `${now.fds} file descriptors, ${before.fds} before` : '',
      upstream.busy() > 0 ? `${upstream.busy()} exchanges at the upstream` : '',
    ]
      .filter((each) => each !== '')
      .join(', ');
    if (left === '') return;
  }
  tally.unexpected(`${replica.name} without clients still has ${left}`);
}
