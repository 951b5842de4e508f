/**
 * Issuers at which anybody can have an account, so that a login alone keeps nobody out. Only well-known ones, where it
 * is certain: a tenant of its own (Okta, Auth0, Keycloak, one Entra directory) is closed or open as its owner decides.
 */
const OPEN_ISSUERS: readonly RegExp[] = [
  /^https:\/\/accounts\.google\.com\/?$/,
  // Many directories, or all: anybody can make one. The last is the directory of personal Microsoft accounts.
  /^https:\/\/(login\.microsoftonline\.com|sts\.windows\.net)\/(common|organizations|consumers|\{tenantid\}|9188040d-6c67-4c5b-b112-36a304b66dad)(\/|$)/i,
  /^https:\/\/appleid\.apple\.com\/?$/,
  /^https:\/\/(www|limited)\.facebook\.com\/?$/,
  /^https:\/\/www\.linkedin\.com\/oauth\/?$/,
  /^https:\/\/gitlab\.com\/?$/,
  /^https:\/\/(api\.login|login)\.yahoo\.com\/?$/,
  /^https:\/\/access\.line\.me\/?$/,
  /^https:\/\/slack\.com\/?$/,
  /^https:\/\/discord\.com\/?$/,
  /^https:\/\/id\.twitch\.tv\/oauth2\/?$/,
  /^https:\/\/login\.salesforce\.com\/?$/,
  /^https:\/\/www\.paypal\.com\/?$/,
];

export const isOpenSignUp = (issuer: string): boolean => OPEN_ISSUERS.some((pattern) => pattern.test(issuer));
