import { EJECTION_TIMES, TLS_ONLY, UNVERIFIED_CA, URL_PATH } from '../../../src/resources/parse-upstream.ts';
import { CONTRADICTS } from '../../../src/resources/upstream-protocol.ts';
import { matches, type Rule } from './cel.ts';
import { timeout } from './fields.ts';

/** Connections to it are over TLS. */
const SECURE =
  "(has(self.protocol) && self.protocol in ['https', 'h2'] || has(self.url) && self.url.startsWith('https://'))";

export const SERVICE_RULES: readonly Rule[] = [
  {
    at: 'spec',
    rule: 'has(self.backendRef) || has(self.url)',
    message: 'names no backend; write either url or backendRef',
  },
  { at: 'spec', rule: '!(has(self.backendRef) && has(self.url))', message: 'has both url and backendRef; keep one' },
  {
    at: 'spec.url',
    rule: `!${matches('self', /^https?:\/\/[^/?#\\]*@/)}`,
    message: 'must have no user name and password; leave out what is before the @',
  },
  {
    at: 'spec.url',
    rule: `!${matches('self', /[?#]/)}`,
    message: 'must have no query and no fragment; leave out what begins with ? or #',
  },
  {
    at: 'spec.url',
    rule: matches('self', /^https?:\/\/([A-Za-z0-9._@-]+|\[[0-9A-Fa-f:.]+\])([:/?#@]|$)/),
    message: 'must have a DNS name, an IPv4 address or an [IPv6] address after ://',
  },
  timeout('spec.timeouts.connect'),
  timeout('spec.timeouts.response'),
  timeout('spec.timeouts.idle'),
  timeout('spec.timeouts.request'),
  {
    at: 'spec',
    rule: "!has(self.protocol) || !has(self.url) || !self.url.startsWith('http://') || self.protocol in ['http', 'h2c']",
    message: CONTRADICTS.http,
    fieldPath: '.protocol',
  },
  {
    at: 'spec',
    rule: "!has(self.protocol) || !has(self.url) || !self.url.startsWith('https://') || self.protocol in ['https', 'h2']",
    message: CONTRADICTS.https,
    fieldPath: '.protocol',
  },
  { at: 'spec', rule: '!has(self.path) || !has(self.url)', message: URL_PATH, fieldPath: '.path' },
  {
    at: 'spec',
    rule: `!has(self.tls.caRef) && !has(self.tls.clientCertRef) && !has(self.tls.serverName) || ${SECURE}`,
    message: TLS_ONLY,
    fieldPath: '.tls',
  },
  {
    at: 'spec',
    rule: `!self.insecure.unverifiedTLS || ${SECURE}`,
    message: TLS_ONLY,
    fieldPath: '.insecure.unverifiedTLS',
  },
  {
    at: 'spec',
    rule: '!self.insecure.unverifiedTLS || !has(self.tls.caRef)',
    message: UNVERIFIED_CA,
    fieldPath: '.insecure.unverifiedTLS',
  },
  timeout('spec.limits.pendingTimeout'),
  timeout('spec.healthCheck.passive.ejectionTime'),
  timeout('spec.healthCheck.passive.maxEjectionTime'),
  {
    at: 'spec.healthCheck.passive',
    // The API server checks the default of the object before those of its fields are filled in.
    rule: '!has(self.maxEjectionTime) || !has(self.ejectionTime) || duration(self.maxEjectionTime) >= duration(self.ejectionTime)',
    message: EJECTION_TIMES,
    fieldPath: '.maxEjectionTime',
  },
];
