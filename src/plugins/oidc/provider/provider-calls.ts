import type { OidcConfig } from '../spec/config.ts';
import { withCircuit } from './circuit.ts';
import { type ClockStep, clockAhead, clockStep } from './clock.ts';
import type { Call, Refuses } from './discovery.ts';
import { providerHttp } from './http.ts';
import { fault } from './http-fault.ts';
import type { ProviderWorld } from './provider-client.ts';
import { retryAfter } from './retry-after.ts';

/** The calls of one plugin to its provider, each observed, and what is learnt from their headers. */
export interface ProviderCalls {
  readonly discovery: Call;
  readonly jwks: Call;
  readonly token: Call;
  readonly refuses: Refuses;
  /** Milliseconds for which the provider wants its documents left alone; 0: none. */
  waits(): number;
  /** `seen`: an answer said what time it is there. `step` undefined: the same as here. */
  clocks(): { readonly seen: boolean; readonly step: ClockStep | undefined };
  stop(): void;
}

export function providerCalls(config: OidcConfig, world: ProviderWorld): ProviderCalls {
  const { httpTimeout: deadline, ca, proxy } = config;
  const http = providerHttp({ deadline, ca, proxy, network: world.network });
  let clocks: ReturnType<ProviderCalls['clocks']> = { seen: false, step: undefined };
  /** When the provider said to wait (429 or 503 with Retry-After), and until when. */
  let wait = { from: 0, until: 0 };
  const waits = (): number => {
    const now = world.now();
    // A clock that was set back would make it a wait of hours.
    return now < wait.from ? 0 : Math.max(0, wait.until - now);
  };

  const calling =
    (endpoint: 'discovery' | 'jwks' | 'token'): Call =>
    async (request) => {
      const began = world.now();
      const answer = await http.call(request);
      const good = answer.ok && answer.status < 400;
      const result = good ? 'ok' : !answer.ok && answer.kind === 'Timeout' ? 'timeout' : 'error';
      world.observe({ kind: 'ProviderCall', endpoint, result, seconds: Math.max(0, world.now() - began) / 1000 });
      return answer;
    };
  const reading = (endpoint: 'discovery' | 'jwks'): Call => {
    const call = calling(endpoint);
    return async (request) => {
      if (waits() > 0) return fault('Busy', 'was not asked, for the provider wants to be left alone for a while');
      const sentAt = world.now();
      const answer = await call(request);
      if (!answer.ok) return answer;
      const now = world.now();
      const ahead = clockAhead(answer.date, sentAt, now);
      if (ahead !== undefined) clocks = { seen: true, step: clockStep(ahead, clocks.step) };
      if (answer.status === 429 || answer.status === 503) {
        wait = { from: now, until: now + retryAfter(answer.retryAfter, now) };
      }
      return answer;
    };
  };
  return {
    discovery: reading('discovery'),
    jwks: reading('jwks'),
    token: withCircuit(calling('token'), world.now),
    refuses: http.refuses,
    waits,
    clocks: () => clocks,
    stop: http.stop,
  };
}
