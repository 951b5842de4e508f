import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyRing } from '../../src/keys/live-ring.ts';
import { readOwnCookies } from '../../src/plugins/oidc/session/own-cookies.ts';
import { createPlaces, type Place } from '../../src/plugins/oidc/session/place.ts';
import { openSession, sealedTexts, sealSession } from '../../src/plugins/oidc/session/session-cookie.ts';
import { parseAuthority } from '../../src/resources/hostname.ts';
import { canonicalPath } from '../../src/resources/path.ts';
import { oidcConfig } from '../../test/plugins/oidc/login/harness.ts';
import type { Figure } from '../statistics.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { startPlain, type Upstream } from './nginx.ts';
import { interleaved, ratio, ratioFigure } from './rounds.ts';
import { wrk } from './wrk.ts';

/** More than the cache of sessions and that of Cookie lines hold, so that one that comes round again has been forgotten. */
const SESSIONS = 8000;

/** The first request of each session: its cookie has to be opened. */
export async function firstRequests(upstream: Upstream): Promise<readonly Figure[]> {
  const nginx = await startPlain(upstream.port);
  const gateway = await startGateway({ upstreamPort: upstream.port });
  try {
    const script = cookieScript(sealedAnew(gateway, SESSIONS));
    const rounds = await interleaved([nginx, { ...gateway, headers: [] }], (contender) =>
      wrk(contender, { seconds: 3, connections: 64, script }),
    );
    return [ratioFigure('CPU per first request of a session', nginx.name, ratio(rounds, gateway.name, nginx.name), 3)];
  } finally {
    await Promise.all([nginx.stop(), gateway.stop()]);
  }
}

/** A script for wrk that goes round Cookie lines. */
function cookieScript(lines: readonly string[]): string {
  const script = join(mkdtempSync(join(tmpdir(), 'postern-bench-')), 'cookies.lua');
  writeFileSync(
    script,
    `local lines = {${lines.map((line) => JSON.stringify(line)).join(',\n')}}
local requests = {}
local at = 0
function init(args)
  for i, line in ipairs(lines) do
    wrk.headers["Cookie"] = line
    requests[i] = wrk.format("GET", wrk.path)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
`,
  );
  return script;
}

/** The session of the gateway's login under so many seals, as so many people would bring theirs. */
function sealedAnew(gateway: Gateway, count: number): readonly string[] {
  const keys = createKeyRing([gateway.key], () => Date.now());
  const place = placeOf(gateway);
  const line = gateway.headers[0]?.replace(/^Cookie: /, '');
  const text = sealedTexts(readOwnCookies(line, place.names))[0];
  const opened = text === undefined ? undefined : openSession(text, place, keys);
  if (opened === undefined) throw new Error('the session of the login could not be read');
  return Array.from({ length: count }, () =>
    sealSession(opened.session, place, keys, randomBytes)
      .cookies.map(({ name, value }) => `${name}=${value}`)
      .join('; '),
  );
}

function placeOf({ url, provider }: Gateway): Place {
  const config = oidcConfig({ issuer: provider.issuer, clientId: provider.clientId });
  const { origin, hostname } = new URL(url);
  const [host, path] = [parseAuthority(hostname), canonicalPath('/')];
  if (host === undefined || !path.ok) throw new Error(`not a host: ${hostname}`);
  const view = { method: 'GET', host, path: path.path, query: '', header: () => undefined };
  const needs = { claims: [], groups: false, email: false };
  const httpCookies = { ...config, insecure: { ...config.insecure, httpCookies: true } };
  const place = createPlaces(httpCookies, 'default/idp')(view, { origin, needs, keeps: needs, requestId: '' });
  if (place === undefined) throw new Error(`no cookies at ${origin}`);
  return place;
}
