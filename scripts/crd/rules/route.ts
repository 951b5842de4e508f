import { CLAIM_PATH_HINT } from '../../../src/resources/claim-path.ts';
import { UNMATCHABLE_HEADERS } from '../../../src/resources/header-matches.ts';
import { IDENTITY_HEADER_NAMES } from '../../../src/resources/identity-headers.ts';
import { NEVER_FORWARDED, ROUTE_METHODS } from '../../../src/resources/method.ts';
import { isHeader, listOf, matches, type Rule } from './cel.ts';
import { claimPath, path, timeout } from './fields.ts';
import { filterRules } from './filters.ts';

const LABEL = '[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^(\\*|(\\*\\.)?${LABEL}(\\.${LABEL})*)$`);

const HOSTS: readonly Rule[] = [
  {
    at: 'spec.hosts[]',
    rule: matches('self', /^(\*|\*\.[^*]+|[^*]+)$/),
    message: 'a wildcard is the whole leftmost label, as in *.example.com, or * alone for what no Route names',
  },
  {
    at: 'spec.hosts[]',
    rule: `self.contains('*') || ${matches('self', NAME)}`,
    message: 'must be a DNS name in lower case, without port, path and final dot, or *. and such a name, or *',
  },
  {
    at: 'spec.hosts[]',
    rule: `!self.contains('*') || self == '*' || !self.startsWith('*.') || ${matches('self', NAME)}`,
    message: 'must be *. and a DNS name in lower case, without port, path and final dot',
  },
  {
    at: 'spec.hosts[]',
    rule: `!${matches('self', /(^|\.)([0-9]+|0[xX][0-9a-fA-F]*)$/)}`,
    message: 'must be a DNS name; what ends in a number is an address, and an address is no host of a Route',
  },
];

const PLAIN_PATH: readonly Rule[] = [
  ...path('spec.paths[].value'),
  {
    at: 'spec.paths[].value',
    rule: "self != '/_oidc' && !self.startsWith('/_oidc/')",
    message: '/_oidc is Postern’s own on every host; write another path',
  },
];

/** What can be told of a regular expression without compiling it; the rest is for the parser. */
const PATTERN: readonly Rule[] = [
  {
    at: 'spec.paths[].value',
    rule: 'self.size() <= 512',
    message: 'must have at most 512 characters; write several paths',
  },
  {
    at: 'spec.paths[].value',
    rule: matches('self', /^\^?\//),
    message: 'must begin with / or ^/, as every path does; it has to match the whole path',
  },
  {
    at: 'spec.paths[].value',
    rule: matches('self', /^[!-~]*$/),
    message: 'has a character that no path holds; others are escaped as UTF-8, as in %20',
  },
  {
    at: 'spec.paths[].value',
    rule: `!${matches('self', /#|\\\?/)}`,
    message: 'is for the path alone, which has no ? and no #; write queryParams for a query',
  },
];

const PATHS: readonly Rule[] = [
  ...onValue(PLAIN_PATH, "self.type == 'RegularExpression'"),
  ...onValue(PATTERN, "self.type != 'RegularExpression'"),
  {
    at: 'spec.paths',
    rule: 'self.all(a, self.exists_one(b, b.type == a.type && b.value == a.value))',
    message: 'a path is there twice; leave one out',
  },
];

/** Rules over the value of a path, for those that are not of some type. */
function onValue(rules: readonly Rule[], unless: string): readonly Rule[] {
  return rules.map(({ rule, message }) => ({
    at: 'spec.paths[]',
    rule: `${unless} || (${rule.replaceAll('self', 'self.value')})`,
    message,
    fieldPath: '.value',
  }));
}

const methods = (at: string): readonly Rule[] => [
  {
    at: `${at}[]`,
    rule: `!(self in ${listOf(NEVER_FORWARDED)})`,
    message: 'CONNECT, TRACE and TRACK are never forwarded; leave it out',
  },
  {
    at: `${at}[]`,
    rule: `self in ${listOf([...ROUTE_METHODS, ...NEVER_FORWARDED])}`,
    message: 'is no known method; write GET, POST, PUT or the like',
  },
  { at, rule: "!('HEAD' in self) || 'GET' in self", message: 'HEAD is handled as GET; write GET' },
];

const HEADERS: readonly Rule[] = [
  {
    at: 'spec.headers[].name',
    rule: `!${matches('self', /[_.]/)}`,
    message: 'has _ or ., which other servers take for -; write -',
  },
  {
    at: 'spec.headers[].name',
    rule: `!${isHeader('self.lowerAscii()', IDENTITY_HEADER_NAMES)}`,
    message: 'is an identity header, which is removed from every request; match another one',
  },
  {
    at: 'spec.headers[].name',
    rule: `!${isHeader('self.lowerAscii()', [...UNMATCHABLE_HEADERS, 'x-forwarded-*'])}`,
    message: 'can’t be matched, for Postern reads or writes it itself; match another one',
  },
  {
    at: 'spec.headers[].value',
    rule: matches('self', /^([!-~]([ \t!-~]*[!-~])?)?$/),
    message: 'must be visible ASCII characters, with blanks only between them',
  },
  {
    at: 'spec.headers',
    rule: 'self.all(a, self.exists_one(b, b.name.lowerAscii() == a.name.lowerAscii()))',
    message: 'a header is there twice; leave one out',
  },
];

const QUERY: readonly Rule[] = [
  {
    at: 'spec.queryParams[].value',
    rule: `!${matches('self', /\p{Cc}/u)}`,
    message: 'has a control character; write the value as it is meant, without escapes',
  },
  {
    at: 'spec.queryParams',
    rule: 'self.all(a, self.exists_one(b, b.name.lowerAscii() == a.name.lowerAscii()))',
    message: 'a query parameter is there twice, or differs from another one only by case; leave one out',
  },
];

const GUARDS: readonly Rule[] = [
  {
    at: 'spec',
    rule: '!has(self.access) || !has(self.plugins) || self.plugins.size() == 0',
    message: 'has both access: Public and plugins; keep access to open the Route to everybody, or plugins to guard it',
  },
  {
    at: 'spec',
    rule: '!has(self.access) || !has(self.authorization)',
    message: 'rules need somebody who logged in; name a plugin instead of access: Public',
    fieldPath: '.authorization',
  },
  {
    at: 'spec',
    rule: "!has(self.plugins) || self.plugins.size() == 0 || !('*' in self.hosts)",
    message: '* can’t be protected, for a login needs a host to come back to; write the host names',
    fieldPath: '.hosts',
  },
];

const AUTHORIZATION: readonly Rule[] = [
  {
    at: 'spec.authorization.rules',
    rule: 'self.all(a, self.exists_one(b, b.name == a.name))',
    message: 'two rules have the same name; give each its own, for it is what logs and pages show',
  },
  ...path('spec.authorization.rules[].match.paths[].value'),
  ...methods('spec.authorization.rules[].match.methods'),
  claimPath('spec.authorization.rules[].claims[].path', CLAIM_PATH_HINT),
];

export const ROUTE_RULES: readonly Rule[] = [
  ...HOSTS,
  ...PATHS,
  ...methods('spec.methods'),
  ...HEADERS,
  ...QUERY,
  ...GUARDS,
  ...AUTHORIZATION,
  timeout('spec.timeouts.response'),
  timeout('spec.timeouts.idle'),
  timeout('spec.timeouts.request'),
  ...filterRules(methods),
];
