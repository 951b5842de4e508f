import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

export interface Providers {
  /** http://127.0.0.1:<port>; the issuers are this and `/<number>`. */
  readonly url: string;
  close(): void;
}

/** Discovery documents and keys of any number of issuers: what a gateway asks of a provider at its start. Nobody can log in. */
export async function startProviders(): Promise<Providers> {
  const jwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  const keys = JSON.stringify({ keys: [{ ...jwk, kid: 'a', alg: 'RS256', use: 'sig' }] });
  let url = '';
  const server = createServer((request, response) => {
    const issuer = `${url}/${/^\/([0-9]+)\//.exec(request.url ?? '')?.[1] ?? ''}`;
    const document = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    };
    response.setHeader('content-type', 'application/json');
    response.end(request.url?.endsWith('/jwks') === true ? keys : JSON.stringify(document));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no TCP address');
  url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
