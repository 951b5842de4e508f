// helm test: whether a person who opens a protected address is sent to the provider. It asks the traffic Service itself, so
// it needs no public name; the certificate is not looked at, only where the answer leads.
import http from 'node:http';
import https from 'node:https';

const { LOGIN_URL, REDIRECTS_TO, GATEWAY } = process.env;
const url = new URL(LOGIN_URL);
const secure = url.protocol === 'https:' && GATEWAY.startsWith('https:');
const gateway = new URL(GATEWAY);
const headers = { host: url.host, accept: 'text/html' };
const options = {
  host: gateway.hostname,
  port: gateway.port,
  path: url.pathname + url.search,
  headers,
  timeout: 10_000,
  ...(secure ? { servername: url.hostname, rejectUnauthorized: false } : {}),
};
const request = (secure ? https : http).get(options, (response) => {
  const location = response.headers.location ?? '';
  response.resume();
  console.log(`${LOGIN_URL} at ${GATEWAY}: ${response.statusCode} ${location.split('?')[0]}`);
  const good = response.statusCode === 302 && location.startsWith(REDIRECTS_TO);
  if (!good) console.log(`wanted 302 to ${REDIRECTS_TO}...`);
  process.exit(good ? 0 : 1);
});
request.on('timeout', () => request.destroy(new Error('no answer in 10 s')));
request.on('error', (error) => {
  console.log(`${LOGIN_URL} at ${GATEWAY}: ${error.message}`);
  process.exit(1);
});
