import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { generateKey } from '../../src/keys/key-list.ts';
import { createKeyRing } from '../../src/keys/live-ring.ts';
import { readOwnCookies } from '../../src/plugins/oidc/session/own-cookies.ts';
import { createPlaces } from '../../src/plugins/oidc/session/place.ts';
import type { Session } from '../../src/plugins/oidc/session/session.ts';
import { sealSession } from '../../src/plugins/oidc/session/session-cookie.ts';
import { createSessions } from '../../src/plugins/oidc/session/sessions.ts';
import { parseAuthority } from '../../src/resources/hostname.ts';
import { canonicalPath } from '../../src/resources/path.ts';
import { oidcConfig } from '../../test/plugins/oidc/login/harness.ts';
import { atMost, type Figure } from '../statistics.ts';

const SESSIONS = 6000;
const NEEDS = { claims: [], groups: true, email: true };

/** Live heap of an opened session that stays known, besides the header lines that it brings. */
export async function sessionMemory(): Promise<readonly Figure[]> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  const live = async (): Promise<number> => {
    // What waits for a finalizer is there until a later turn.
    for (let i = 0; i < 4 && typeof collect === 'function'; i++) {
      collect();
      await sleep(50);
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const { upstream } = oidcConfig();
  const config = oidcConfig({ upstream: { ...upstream, accessToken: { kind: 'None' } } });
  const now = Date.now();
  const keys = createKeyRing([generateKey(now - 3_600_000, randomBytes)], () => now);
  const sessions = createSessions(config, { now: () => now, random: randomBytes, keys });
  const [host, path] = [parseAuthority('shop.example'), canonicalPath('/')];
  if (host === undefined || !path.ok) throw new Error('no place');
  const context = { origin: 'https://shop.example', needs: NEEDS, keeps: NEEDS, requestId: '' };
  const view = { method: 'GET', host, path: path.path, query: '', header: () => undefined };
  const place = createPlaces(config, 'default/idp')(view, context);
  if (place === undefined) throw new Error('no place');
  const sessionOf = (i: number): Session => ({
    subject: `user-${i}`,
    createdAt: now,
    sealedAt: now,
    tokensEndAt: undefined,
    kept: ['preferred_username', 'groups', 'email', 'email_verified'],
    claims: {
      preferred_username: `user-${i}`,
      groups: ['staff'],
      email: `user-${i}@example.com`,
      email_verified: true,
    },
    accessToken: undefined,
    idToken: undefined,
  });
  let headers = 0;
  const open = (i: number): void => {
    const cookies = sealSession(sessionOf(i), place, keys, randomBytes).cookies;
    const line = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const found = sessions.find(readOwnCookies(line, place.names), place, NEEDS);
    if (found.kind !== 'Session') throw new Error(found.reason);
    for (const { name, value } of found.session.decision.headers) headers += name.length + value.length + 4;
  };
  for (let i = 0; i < 500; i++) open(i);
  headers = 0;
  const before = await live();
  for (let i = 500; i < 500 + SESSIONS; i++) open(i);
  const after = await live();
  const each = (after - before - headers) / SESSIONS / 1024;
  // They are needed until here, or all would have been collected.
  open(500);
  return [atMost('memory per cached session, besides its header lines', each, 'KiB', 1)];
}
