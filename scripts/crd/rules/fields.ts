import { TIMEOUT_HINT } from '../../../src/resources/duration.ts';
import { matches, type Rule, text } from './cel.ts';

/** `least` and `most` as durations of CEL, which reads those of Gateway API. */
export const duration = (at: string, least: string, most: string, message: string): Rule => ({
  at,
  rule: `duration(self) >= duration(${text(least)}) && duration(self) <= duration(${text(most)})`,
  message,
});

export const timeout = (at: string): Rule => duration(at, '1ms', '24h', TIMEOUT_HINT);

/** One path with one reading; `;`, escapes in lower case, empty and dot segments all have several, or aren't canonical. */
export const path = (at: string): readonly Rule[] => [
  { at, rule: "self.startsWith('/')", message: 'must begin with /' },
  {
    at,
    rule: matches('self', /^[A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]|^]*$/),
    message: 'has a character that a path can’t hold; it has no query, and others are escaped as UTF-8, as in %20',
  },
  {
    at,
    rule: matches('self', /^([^%]|%[0-9A-F][0-9A-F])*$/),
    message: 'has a % that begins no escape in upper case; write %25, or the escape as in %2B',
  },
  {
    at,
    rule: "!self.contains('*')",
    message: 'paths have no wildcards, and a Prefix covers all that is below it; leave out the *',
  },
  {
    at,
    rule: "!self.contains(';')",
    message: 'servers read this path in more than one way; leave out what begins with ;',
  },
  { at, rule: "!self.contains('//')", message: 'must be in canonical form; write one / where there are several' },
  {
    at,
    rule: `!${matches('self', /\/\.\.?(\/|$)/)}`,
    message: 'has a segment . or .., which no request may have; write where it leads to',
  },
];

/** resources/claim-path.ts; blanks beyond ASCII are left to the parser. */
export const claimPath = (at: string, message: string): Rule => ({
  at,
  rule: matches('self', new RegExp(`^${CLAIM_NAME}(\\.${CLAIM_NAME}){0,7}$`)),
  message,
});

const CLAIM_NAME = String.raw`("([^"\\]|\\["\\])+"|[^."\s/\\]+)`;
