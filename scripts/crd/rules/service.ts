import { matches, type Rule } from './cel.ts';
import { timeout } from './fields.ts';

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
];
