/** OpenTelemetry's advice for HTTP durations in seconds (semantic conventions, http.server.request.duration). */
export const HTTP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** From the redirect to the session: a person types a password, maybe looks for a phone. */
export const LOGIN_SECONDS = [0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];

/** What Postern itself takes: far below a millisecond, unless something is wrong. */
export const OVERHEAD_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** A tunnel is open for as long as somebody looks at a page, or leaves it open. */
export const TUNNEL_SECONDS = [1, 10, 60, 300, 900, 3600, 10_800, 43_200];

/** All cookies of one session; browsers cap one at 4 KiB, front ends the whole line at 8. */
export const COOKIE_BYTES = [512, 1024, 1536, 2048, 3072, 4096, 5120, 6144, 8192];

/** A pause of the garbage collector: 30 ms can be felt, for a change holds up the loop besides. */
export const GC_SECONDS = [0.001, 0.01, 0.03, 0.1, 1, 2, 5];
