import { ask, type Reply } from '../client.ts';
import { between, oneIn } from '../random.ts';
import type { Session } from '../sessions.ts';
import type { Load, SoakWorld } from '../world.ts';

/** Small answers at a modest rate, each held to its own question and person: what is crossed is noticed. */
export const requests: Load = {
  kind: 'requests',
  workers: 20,
  pause: 60,
  async once(world) {
    if (oneIn(20)) return anonymous(world);
    const session = world.sessions.any();
    const n = between(1, 1_000_000_000);
    const path = `/app/small?n=${n}`;
    const replica = world.replicas.pick();
    const cookie = world.sessions.cookie(session, path);
    const reply = await ask(replica, { host: world.host, path, cookie, method: oneIn(30) ? 'DELETE' : 'GET' });
    expectPerson(reply, n, session);
    world.sessions.store(session, path, reply.setCookie);
    return reply.setCookie.length > 0 ? '200 renewed' : '200';
  },
};

async function anonymous(world: SoakWorld): Promise<string> {
  const replica = world.replicas.pick();
  if (oneIn(2)) {
    const { status, body } = await ask(replica, { host: world.host, path: '/open/small?n=1' });
    if (status !== 200 || body !== '1 undefined') throw new Error(`an open path answered ${status} ${body}`);
    return '200 open';
  }
  const { status } = await ask(replica, { host: world.host, path: '/app/small?n=1' });
  if (status !== 401) throw new Error(`${status} without a session`);
  return '401 without session';
}

export const logins: Load = {
  kind: 'logins',
  workers: 1,
  pause: 600,
  async once(world) {
    const session = await world.sessions.login();
    const path = '/app/small?n=7';
    const cookie = world.sessions.cookie(session, path);
    expectPerson(await ask(world.replicas.pick(), { host: world.host, path, cookie }), 7, session);
    world.sessions.add(session);
    return 'signed in';
  },
};

function expectPerson({ status, body }: Reply, n: number, { email }: Session): void {
  if (status !== 200) throw new Error(`${status} with a session`);
  if (body !== `${n} ${email}`) throw new Error(`another answer: "${body}" instead of "${n} ${email}"`);
}
