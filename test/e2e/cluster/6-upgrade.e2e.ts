import { beforeAll, describe, expect, inject, it } from 'vitest';
import { CookieJar } from '../../support/cookie-jar.ts';
import { logIn, navigate, trust } from './support/ask.ts';
import { jsonPath, kubectl } from './support/kubernetes.ts';
import { underLoad } from './support/load.ts';
import { helm, helmInstall, posternPods, tryHelm } from './support/postern.ts';
import { ISSUER, NAMESPACES, SHOP } from './support/site.ts';
import { closed, open, session } from './support/streams.ts';
import { until } from './support/until.ts';

const { system } = NAMESPACES;
const { image, nextImage } = inject('prepared');

const LOGIN_TEST = { 'tests.login.url': `${SHOP}/orders`, 'tests.login.redirectsTo': `${ISSUER}/auth` };

/** Logins that are at the provider while every Pod is replaced, and are finished then. */
async function openLogins(count: number): Promise<() => Promise<void>> {
  const logins = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const jar = new CookieJar();
      // All but the last step: the provider's answer is in `at`.
      const { at } = await logIn(`${SHOP}/orders?tab=${n}`, jar, { stopAt: `${SHOP}/_oidc/okta/callback` });
      return { jar, at, wanted: `${SHOP}/orders?tab=${n}` };
    }),
  );
  return async () => {
    for (const { jar, at, wanted } of logins) {
      const back = await navigate(at, jar);
      expect(back.status).toBe(303);
      expect(new URL(back.headers.location ?? '', at).href).toBe(wanted);
      expect((await navigate(wanted, jar)).status).toBe(200);
    }
  };
}

/** Replaces every Pod by what `change` does, and waits until those of before are gone: they serve until then. */
async function replaced(change: () => Promise<unknown>): Promise<void> {
  const orders = await session('/orders');
  const finish = await openLogins(5);
  await underLoad([open, closed, orders], async () => {
    const before = await posternPods();
    await change();
    for (const pod of before) await kubectl('wait', '--for=delete', `pod/${pod}`, '-n', system, '--timeout=120s');
    const after = await posternPods();
    expect(after.filter((pod) => before.includes(pod))).toEqual([]);
  });
  await finish();
}

const imageNow = (): Promise<string> =>
  jsonPath('{.spec.template.spec.containers[0].image}', 'deployment', 'postern', '-n', system);

describe('6. upgrades, under load and during open logins: no request fails, no session and no login is lost', () => {
  beforeAll(async () => {
    trust(inject('ca'));
    await until('a session', () => session('/orders'));
  });

  it('F24 helm upgrade with changed values', async () => {
    await replaced(() => helmInstall('upgrade', image, { 'controller.logLevel': 'debug', ...LOGIN_TEST }));
  });

  it('helm test follows the protected Route to the issuer', async () => {
    const ran = await tryHelm('test', 'postern', '--logs');
    expect(`${ran.stdout}${ran.stderr}`).toMatch(/302 https:\/\/idp\.example\.test/);
    expect(ran.code).toBe(0);
  });

  it('F24 F54 helm upgrade with a new image', async () => {
    await replaced(() => helmInstall('upgrade', nextImage, LOGIN_TEST));
    expect(await imageNow()).toBe(`${nextImage.repository}:${nextImage.tag}`);
  });

  it('F24 F54 helm rollback', async () => {
    await replaced(() => helm('rollback', 'postern', '--wait', '--timeout', '180s'));
    expect(await imageNow()).toBe(`${image.repository}:${image.tag}`);
    await until('two Pods', async () => (await posternPods()).length === 2);
  });
});
