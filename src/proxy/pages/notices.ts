import type { Notice } from '../../routing/decision.ts';

/*
 * What the proxy itself has to say. Words for people who did not set anything up: what happened, what they can do. No
 * value of the request is in them, and no detail of the configuration but the name of a rule, which is there to be shown.
 */

const notice = (code: string, title: string, text: string, advice?: string): Notice => ({
  code,
  title,
  text,
  advice,
  action: undefined,
});

/** 404: no Route names this host. */
export const unknownHost = (): Notice =>
  notice(
    'unknown_host',
    'There is no site here',
    'This server answers for other names, but not for the one in the address.',
    'Check the address for a misspelling.',
  );

/** 404: the host is known, the path isn't; also whatever lies under a reserved path that nobody answers. */
export const noRoute = (): Notice =>
  notice(
    'not_found',
    'Page not found',
    'Nothing is published at this address.',
    'Check the address, or start again from the site’s first page.',
  );

/** 405, which goes with an `Allow` header. */
export const methodNotAllowed = (): Notice =>
  notice(
    'method_not_allowed',
    'This can’t be done here',
    'The address exists, but it doesn’t take this kind of request.',
    'If a form or a link of the site led here, the site has a mistake; tell whoever runs it.',
  );

/** 400: no canonical target, or framing that can be read in two ways. */
export const badRequest = (): Notice =>
  notice(
    'bad_request',
    'This request can’t be understood',
    'The address, or something else in the request, is malformed or can be read in more than one way, so it was not passed on.',
    'Check the address. If a link led here, the page with the link has a mistake.',
  );

/** 413: the Route takes no body of this size. */
export const bodyTooLarge = (): Notice =>
  notice(
    'body_too_large',
    'This is too large to send',
    'What was sent is larger than this site takes, so it was not passed on.',
    'Send something smaller, such as a compressed or shortened file.',
  );

/** 503: too much to do already. */
export const overloaded = (): Notice =>
  notice(
    'overloaded',
    'Too much is going on',
    'This server has more to do than it can manage right now.',
    'Try again in a few seconds.',
  );

/** 421: the connection was opened for another host, with another certificate. */
export const misdirected = (): Notice =>
  notice(
    'misdirected',
    'This connection is for another site',
    'The request came over a connection that was opened for another site than the one it asks for.',
    'Load the page again. A program that calls this address has to name it when it opens the connection (SNI).',
  );

/** 508: it came through here several times already. */
export const goesRound = (): Notice =>
  notice(
    'loop',
    'This address leads round in a circle',
    'The service behind this page sends requests back to this server, so this one was stopped.',
    'Tell whoever runs this site.',
  );

/** 414 or 431: larger than what is read. */
export const requestTooLarge = (): Notice =>
  notice(
    'request_too_large',
    'This request is too large',
    'The address or the headers of the request are longer than this server reads.',
    'Deleting the cookies of this site often helps: they are sent with every request.',
  );

/**
 * 403: the person is known, a rule of the Route says no. `rule`: undefined where rules exist and none was for this request.
 * `logout`: path, from configuration, at which the person can sign out.
 */
export const forbidden = (rule: string | undefined, logout?: string): Notice => ({
  ...notice(
    'forbidden',
    'You don’t have access to this page',
    rule === undefined
      ? 'You are signed in, but none of the rules for this page lets anybody do this.'
      : `You are signed in, but your account doesn’t meet the rule “${rule}” for this page.`,
    'If you should have access, ask whoever runs this site to add your account, and name the rule. After a change you may have to sign out and in again.',
  ),
  action: logout === undefined ? undefined : { kind: 'Form', label: 'Sign out', action: logout },
});

/** 401 to an upgrade: its client can be shown no login. */
export const unauthenticated = (): Notice =>
  notice(
    'unauthenticated',
    'Sign-in needed',
    'This address needs a sign-in, and this request came without a valid session.',
    'Sign in in the browser first, then load the page again.',
  );

/** 403: `websocket.enabled` of the Route is false. */
export const upgradeRefused = (): Notice =>
  notice(
    'upgrade_refused',
    'No WebSockets here',
    'The address exists, but it doesn’t let a connection be switched to another protocol.',
    'Whoever runs this site can allow it: websocket.enabled of the Route.',
  );

/** 403: a page of another site opens a WebSocket. */
export const originRefused = (): Notice =>
  notice(
    'origin_refused',
    'This page may not connect from here',
    'A page of another site tried to open a connection with your account. That is not allowed here.',
    'Whoever runs this site can allow that other one: websocket.allowedOrigins of the Route.',
  );

/** 403: the Route is for other addresses. Which ones isn't told. */
export const addressNotAllowed = (): Notice =>
  notice(
    'address_not_allowed',
    'This page can’t be used from here',
    'It is only for certain networks, and the request came from another one.',
    'If you should have access, connect to the network that the page is for, such as a company’s own, or ask whoever runs this site.',
  );

/** 403: another Route guards what the rewritten path leads to. */
export const guardedElsewhere = (): Notice =>
  notice(
    'guarded_elsewhere',
    'You don’t have access to this page by this address',
    'The page has an address of its own, at which it is decided who may see it.',
    'Use that address, or ask whoever runs this site.',
  );

/** 503: the Route is Denied. Its reason is in status and log, not here. */
export const routeRefused = (): Notice =>
  notice(
    'service_unavailable',
    'This page is closed for now',
    'Its settings are incomplete or contradict each other, and until they are repaired nobody is let through.',
    'There is nothing you can do but try again later. The gateway’s log names the setting that is wrong.',
  );

/** 503: no table was compiled yet. */
export const starting = (): Notice =>
  notice(
    'starting',
    'Just a moment',
    'The server is starting and doesn’t know its sites yet.',
    'Try again in a moment.',
  );

/** 502: the service refused the connection, broke it off, or answered something that is no HTTP. */
export const badGateway = (): Notice =>
  notice(
    'bad_gateway',
    'The service didn’t answer',
    'The request was passed on, but the service behind this page refused it or broke off.',
    'Try again in a moment. If it stays like this, tell whoever runs this site.',
  );

/** 503: nothing of the service runs, or none of it is ready (F43). */
export const serviceDown = (): Notice =>
  notice(
    'service_down',
    'The service isn’t running',
    'Nothing that could answer for this page is running at the moment, so the request was not passed on.',
    'Try again in a moment. If it stays like this, tell whoever runs this site.',
  );

/** 504: the service took longer than the Route allows. */
export const gatewayTimeout = (): Notice =>
  notice(
    'gateway_timeout',
    'The service took too long',
    'The request was passed on, but the service behind this page didn’t answer in time.',
    'It may have done what you asked for all the same, so look before you send it again.',
  );

/** 500: a bug of ours. Nothing was forwarded (invariant 2). */
export const internalError = (): Notice =>
  notice(
    'internal_error',
    'Something went wrong on our side',
    'The gateway could not handle this request, so nothing was passed on.',
    'Try again. If it stays like this, tell whoever runs this site, and name the request id.',
  );
