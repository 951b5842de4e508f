/** Where a provider is called and where browsers find it, where these are two places (`endpoints.internalBase`). */
export interface TwoSides {
  /** The URL as Postern calls it. */
  inside(url: URL): URL;
  /** The URL as browsers are sent to it. */
  outside(url: URL): URL;
}

interface Prefix {
  readonly origin: string;
  /** Without a slash at the end: `/auth`, or ``. */
  readonly path: string;
}

/**
 * The issuer and the base without the path segments that both end in: what is below the one outside is below the other
 * inside. So `https://sso.example/auth/realms/a` and `https://keycloak.idp.svc:8443/realms/a` pair
 * `https://sso.example/auth` with `https://keycloak.idp.svc:8443`, and endpoints beside the issuer's path are found too.
 * What is below neither stays as it is. `undefined`: nothing is changed.
 */
export function twoSides(issuer: string, internalBase: string | undefined): TwoSides {
  if (internalBase === undefined) return { inside: (url) => url, outside: (url) => url };
  const [out, own] = [new URL(issuer), new URL(internalBase)];
  const [outer, inner] = [segments(out), segments(own)];
  while (outer.length > 0 && outer.at(-1) === inner.at(-1)) {
    outer.pop();
    inner.pop();
  }
  const outward: Prefix = { origin: out.origin, path: outer.map((each) => `/${each}`).join('') };
  const inward: Prefix = { origin: own.origin, path: inner.map((each) => `/${each}`).join('') };
  return { inside: (url) => moved(url, outward, inward), outside: (url) => moved(url, inward, outward) };
}

const segments = (url: URL): string[] => url.pathname.replace(/\/$/, '').split('/').slice(1);

function moved(url: URL, from: Prefix, to: Prefix): URL {
  const { origin, pathname, search } = url;
  const below = pathname === from.path || pathname.startsWith(`${from.path}/`);
  return origin === from.origin && below
    ? new URL(`${to.origin}${to.path}${pathname.slice(from.path.length)}${search}`)
    : url;
}
