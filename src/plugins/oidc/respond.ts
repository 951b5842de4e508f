import type { Decision, HeaderLine, Notice } from '../../routing/decision.ts';

export type Response = Extract<Decision, { kind: 'respond' }>;

/** Nothing that logging in answers may be kept by a cache (A105). */
const NO_STORE: HeaderLine = { name: 'Cache-Control', value: 'no-store' };
/** The address of a callback holds a code, which a link on its page must not hand to the service. */
const NO_REFERRER: HeaderLine = { name: 'Referrer-Policy', value: 'no-referrer' };

/** For log and metrics. */
export type Outcome =
  | 'login_started'
  | 'login_loop'
  | 'login_succeeded'
  | 'login_resumed'
  | 'login_failed'
  | 'unauthenticated'
  | 'provider_unavailable'
  | 'insecure_origin'
  | 'logged_out'
  | 'logout_asked'
  | 'logout_refused'
  | 'method_not_allowed'
  | 'not_found';

/** `location`: an absolute URL of the provider, or a checked path. 302 keeps what browsers did to a GET; 303 makes it one. */
export const redirect = (
  status: 302 | 303,
  location: string,
  outcome: Outcome,
  cookies: readonly string[] = [],
): Response => ({
  kind: 'respond',
  status,
  headers: [{ name: 'Location', value: location }, NO_STORE, NO_REFERRER],
  cookies,
  notice: undefined,
  outcome,
});

export interface Extras {
  readonly headers?: readonly HeaderLine[];
  readonly cookies?: readonly string[];
}

export const tell = (status: number, notice: Notice, outcome: Outcome, extras: Extras = {}): Response => ({
  kind: 'respond',
  status,
  // Without a referrer a form would send `Origin: null`, which older browsers' logouts go by (Fetch, append an Origin header).
  headers: [NO_STORE, ...(notice.action?.kind === 'Form' ? [] : [NO_REFERRER]), ...(extras.headers ?? [])],
  cookies: extras.cookies ?? [],
  notice,
  outcome,
});

/** Seconds after which a provider that can't be reached is worth another try. */
export const RETRY_AFTER: HeaderLine = { name: 'Retry-After', value: '10' };
