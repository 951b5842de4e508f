import { startProvider } from './provider.ts';
import { startWorkload } from './workload.ts';

/** `peers.mjs provider` or `peers.mjs workload`; everything else is in the environment. */
const [what] = process.argv.slice(2);

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is missing`);
  return value;
}

switch (what) {
  case 'provider':
    startProvider({
      issuer: needed('ISSUER'),
      port: Number(needed('PORT')),
      tlsDirectory: needed('TLS'),
      clientSecret: needed('CLIENT_SECRET'),
      redirectUris: needed('REDIRECT_URIS').split(' '),
    });
    break;
  case 'workload':
    startWorkload({ port: Number(needed('PORT')), pod: process.env['HOSTNAME'] ?? '' });
    break;
  default:
    throw new Error('write provider or workload');
}
