import { CookieJar } from '../support/cookie-jar.ts';
import { followLogin, type HonestAccount, type HonestProvider } from '../support/honest-provider.ts';
import { between } from './random.ts';
import type { Replicas } from './replicas.ts';

export interface Session {
  readonly jar: CookieJar;
  readonly email: string;
}

export const ACCOUNTS: readonly HonestAccount[] = Array.from({ length: 20 }, (_, i) => ({
  sub: `u-${i}`,
  name: `Person ${i}`,
  preferred_username: `person-${i}`,
  email: `person-${i}@example.com`,
  email_verified: true,
  groups: ['analysts'],
}));

const MOST = 60;

/** People who are signed in: each has a jar that only real logins and renewals fill. */
export class Sessions {
  readonly #site: URL;
  readonly #provider: HonestProvider;
  readonly #replicas: Replicas;
  readonly #sessions: Session[] = [];

  constructor(site: URL, provider: HonestProvider, replicas: Replicas) {
    this.#site = site;
    this.#provider = provider;
    this.#replicas = replicas;
  }

  /** One of those who are signed in; there has to have been a login. */
  any(): Session {
    const session = this.#sessions[between(0, this.#sessions.length - 1)];
    if (session === undefined) throw new Error('nobody is signed in');
    return session;
  }

  /** Cookie line for a path. */
  cookie({ jar }: Session, path: string): string {
    return jar.header(new URL(path, this.#site));
  }

  /** The provider signs in one account after another: only one login at a time. Each of its requests may meet another replica. */
  async login(): Promise<Session> {
    const account = ACCOUNTS[between(0, ACCOUNTS.length - 1)];
    this.#provider.account = account?.sub ?? '';
    const jar = new CookieJar();
    const start = new URL('/app/small?n=login', this.#site);
    await followLogin(start.href, start.href, jar, {
      move: (url) => {
        if (url.host !== this.#site.host) return url;
        const moved = new URL(url);
        moved.hostname = '127.0.0.1';
        moved.port = String(this.#replicas.pick().port);
        return moved;
      },
    });
    return { jar, email: String(account?.['email']) };
  }

  /** Others are signed in from now on; one of those before goes. */
  add(session: Session): void {
    if (this.#sessions.length < MOST) this.#sessions.push(session);
    else this.#sessions[between(0, MOST - 1)] = session;
  }

  /** Cookies that came with an answer: a session that is renewed. */
  store({ jar }: Session, path: string, lines: readonly string[]): void {
    if (lines.length > 0) jar.store(new URL(path, this.#site), lines);
  }
}
