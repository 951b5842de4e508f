import type { Call } from './discovery.ts';

/** Calls in a row without any answer after which the provider is taken to be down. */
const THRESHOLD = 5;
/** How long it isn't asked then; after it, one call at a time finds out. Milliseconds. */
const OPEN = 5000;

/**
 * Spares people the whole deadline while a provider hangs, and the provider their crowd when it comes back (F32). Every
 * answer counts as life, also an error: only silence opens the circuit.
 */
export function withCircuit(call: Call, now: () => number): Call {
  let silent = 0;
  let closedFrom = 0;
  return async (request) => {
    if (silent >= THRESHOLD) {
      if (now() < closedFrom) {
        return {
          ok: false,
          kind: 'Busy',
          message: `was not asked, for it left the last ${THRESHOLD} calls without an answer`,
        };
      }
      closedFrom = now() + OPEN;
    }
    const answer = await call(request);
    if (answer.ok) {
      silent = 0;
    } else if (answer.kind === 'Timeout' || answer.kind === 'Unreachable' || answer.kind === 'Proxy') {
      silent += 1;
      if (silent === THRESHOLD) closedFrom = now() + OPEN;
    }
    return answer;
  };
}
