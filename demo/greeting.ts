import type { WorkingCopy } from './objects.ts';
import type { Ports } from './ports.ts';
import type { DemoUser } from './users.ts';

/** What the terminal says once everything serves: where things are, who can sign in, what to try. */
export function greeting(ports: Ports, copy: WorkingCopy, users: readonly DemoUser[]): string {
  const site = `http://localhost:${ports.gateway}`;
  const metrics = `http://127.0.0.1:${ports.metrics}/metrics`;
  const accounts = users.map((user) => `  ${user.username.padEnd(7)} ${user.password.padEnd(10)} ${user.note}`);
  const kept = copy.kept === undefined ? '' : `\nYour edited objects of the last start are kept in ${copy.kept}.\n`;
  return `
gateway    ${site}
provider   http://127.0.0.1:${ports.provider}
service    http://127.0.0.1:${ports.service}
metrics    ${metrics}
debug      http://127.0.0.1:${ports.debug}/debug/snapshot
objects    ${copy.directory}
${kept}
Who can sign in (name, password):
${accounts.join('\n')}

What to try:
  1. Open ${site}/orders?item=17&sort=price: anybody can.
  2. In objects/route-orders.yaml put a # before \`access: Public\`, take it from the two lines below, and save.
     Within a second the log says that the Route became Protected.
  3. Reload. You are at the provider: sign in as ada. You are back at the very same address, and the service shows the
     identity headers and the token that it received, claim by claim.
  4. Open ${site}/admin: the page names the rule that refuses ada. Sign out there, open it again, and
     sign in as grace: she is let in.
  5. Open ${metrics}: postern_oidc_logins_total counts the logins stage by
     stage, postern_authorization_decisions_total the refusal.
  6. In objects/oidcplugin.yaml write issuer: "not a url", and save. /orders and /admin answer 503, never open; the log
     says which field is wrong; /open serves on.

Ctrl-C ends everything.
`;
}
