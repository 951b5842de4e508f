import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { CookieJar } from './cookie-jar.ts';

export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whole Cookie line instead of what the jar holds. */
  readonly cookie?: string;
  readonly body?: string;
  /** Request target as it is sent, where `URL` would make another of it. */
  readonly target?: string;
}

/** More than any login takes. */
const MAX_STEPS = 12;

/** A browser without Fetch Metadata (`fetch` would call itself a script's, which gets no login), with a cookie jar. */
export class Visitor {
  readonly jar = new CookieJar();
  /** Cookies that this browser doesn't keep, by their name. */
  refuses: (name: string) => boolean = () => false;

  /** One request; redirects are answers. Rejects where nobody listens. */
  async ask(address: string | URL, asking: Asking = {}): Promise<Answer> {
    const url = new URL(address);
    const cookie = asking.cookie ?? this.jar.header(url);
    const outgoing = request(url, {
      agent: false,
      method: asking.method ?? 'GET',
      ...(asking.target === undefined ? {} : { path: asking.target }),
      headers: { accept: 'text/html', ...(cookie === '' ? {} : { cookie }), ...asking.headers },
    });
    outgoing.end(asking.body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    let body = '';
    response.setEncoding('utf8');
    for await (const chunk of response) body += String(chunk);
    const kept = (response.headers['set-cookie'] ?? []).filter((line) => !this.refuses(line.split('=', 1).join('')));
    this.jar.store(url, kept);
    return { url, status: response.statusCode ?? 0, headers: response.headers, body };
  }

  /** A page as a person would open it: redirects are followed to the first answer that is none. */
  async open(address: string | URL): Promise<Answer> {
    let answer = await this.ask(address);
    for (let step = 0; answer.headers.location !== undefined; step++) {
      if (step === MAX_STEPS) throw new Error(`redirected without end, at last to ${answer.headers.location}`);
      answer = await this.ask(new URL(answer.headers.location, answer.url));
    }
    return answer;
  }

  /** Opens a page, and stops before following a redirect to an address that begins so: gives that address. */
  async openUntil(address: string | URL, beginning: string): Promise<URL> {
    let here = new URL(address);
    for (let step = 0; step < MAX_STEPS; step++) {
      const answer = await this.ask(here);
      const { location } = answer.headers;
      if (location === undefined) throw new Error(`${here.href} answered ${answer.status} instead of a redirect`);
      here = new URL(location, here);
      if (here.href.startsWith(beginning)) return here;
    }
    throw new Error('redirected without end');
  }

  /** Value of a cookie by the beginning of its name. */
  cookie(at: string | URL, beginning: string): string | undefined {
    const found = this.jar
      .header(new URL(at))
      .split('; ')
      .find((pair) => pair.startsWith(beginning));
    return found?.slice(found.indexOf('=') + 1);
  }
}
