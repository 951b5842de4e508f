import type { OidcConfig } from '../spec/config.ts';
import { type Call, type DiscoveredProvider, type DiscoveryFault, explainFault } from './discovery.ts';
import { parseJsonObject } from './json.ts';
import type { KeySetAnswer } from './jwks.ts';
import { algorithmName, usableKeys, type VerificationKey } from './key-set.ts';
import type { LookOutcome } from './preflight.ts';

export type FetchedKeys = Extract<KeySetAnswer, { ok: true }> | { readonly ok: false; readonly fault: DiscoveryFault };

export async function fetchKeys(
  config: OidcConfig,
  provider: DiscoveredProvider | undefined,
  call: Call,
): Promise<FetchedKeys> {
  if (provider === undefined) return keysFailed('Its metadata are not known yet.');
  const url = provider.jwks;
  const headers = { accept: 'application/json, application/jwk-set+json', 'cache-control': 'no-cache' };
  const answer = await call({ method: 'GET', url, headers });
  if (!answer.ok) return { ok: false, fault: explainFault(answer, url.href) };
  if (answer.status !== 200)
    return keysFailed(`${url.href} (jwks_uri) answered ${answer.status} instead of a key set.`);
  // The media type isn't looked at: providers serve key sets from static files.
  const keys = await usableKeys(parseJsonObject(answer.body), config.allowedAlgs);
  return keys === undefined
    ? keysFailed(`${url.href} (jwks_uri) did not answer with a JSON key set.`)
    : { ok: true, keys };
}

/** What a set of keys says of the provider: without one that can verify anything, nobody can log in. */
export function judgeKeys(
  config: OidcConfig,
  { jwks }: DiscoveredProvider,
  keys: readonly VerificationKey[],
): LookOutcome {
  const algs = config.allowedAlgs.filter((alg) =>
    keys.some((key) => key.algs.some((each) => algorithmName(each) === alg)),
  );
  if (algs.length > 0) return { ok: true, algs };
  const message = `${jwks.href} (jwks_uri) has no key that can verify a signature by one of ${config.allowedAlgs.join(', ')}: keys for signatures, RSA of at least 2048 bits, P-256, P-384, P-521 or Ed25519.`;
  return { ok: false, at: 'Keys', reason: 'NoUsableKeys', message };
}

const keysFailed = (message: string): FetchedKeys => ({
  ok: false,
  fault: { ok: false, reason: 'DiscoveryFailed', message },
});
