interface Kept {
  readonly host: string;
  readonly path: string;
  readonly value: string;
}

/** As much of RFC 6265 as logins on loopback need: host, path, expiry in the past. */
export class CookieJar {
  readonly #cookies = new Map<string, Map<string, Kept>>();

  store(from: URL, lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(/;\s*/);
      const at = pair.indexOf('=');
      const name = pair.slice(0, at);
      const path = attribute(attributes, 'path') ?? '/';
      const age = attribute(attributes, 'max-age');
      const expires = attribute(attributes, 'expires');
      const over = age === undefined ? expires !== undefined && Date.parse(expires) <= Date.now() : Number(age) <= 0;
      const key = `${name} ${path}`;
      const ofHost = this.#cookies.get(from.host) ?? new Map<string, Kept>();
      this.#cookies.set(from.host, ofHost);
      if (over) ofHost.delete(key);
      else ofHost.set(key, { host: from.host, path, value: `${name}=${pair.slice(at + 1)}` });
    }
  }

  /** The Cookie line for a request; `` where there is none. */
  header(to: URL): string {
    const fits = [...(this.#cookies.get(to.host)?.values() ?? [])].filter(({ path }) => pathFits(path, to.pathname));
    return fits.map(({ value }) => value).join('; ');
  }

  /** Names of the cookies kept for a host with port. */
  names(host: string): readonly string[] {
    return [...(this.#cookies.get(host)?.values() ?? [])].map(({ value }) => value.slice(0, value.indexOf('=')));
  }
}

const pathFits = (path: string, wanted: string): boolean =>
  wanted === path || wanted.startsWith(path.endsWith('/') ? path : `${path}/`);

function attribute(attributes: readonly string[], name: string): string | undefined {
  const found = attributes.find((each) => each.toLowerCase().startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}
