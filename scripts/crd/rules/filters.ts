import { CIDR_HINT } from '../../../src/resources/client-list.ts';
import {
  ALL_HEADERS_WITH_CREDENTIALS,
  ANY_BESIDE_OTHERS,
  ANY_WITH_CREDENTIALS,
  MAX_AGE_HINT,
  NULL_ORIGIN,
  ORIGIN_HINT,
  WILDCARD_ORIGIN_HINT,
} from '../../../src/resources/cors.ts';
import { NOTHING_IN_FILTER, ONCE_ONLY, VALUE_HINT } from '../../../src/resources/header-filters.ts';
import {
  COOKIES_OF_RESPONSES,
  CORS_HEADERS,
  SINGLE_HEADERS,
  UNCHANGEABLE_IN_REQUESTS,
  UNCHANGEABLE_IN_RESPONSES,
  type UnchangeableHeaders,
} from '../../../src/resources/reserved-headers.ts';
import {
  HOST_HINT,
  NEEDS_PREFIXES,
  PRESERVES_ANOTHER,
  REWRITES_TO_RESERVED,
  STRIPS_ALREADY,
} from '../../../src/resources/route-rewrite.ts';
import { isHeader, listOf, matches, type Rule } from './cel.ts';
import { duration, path } from './fields.ts';

const LABEL = '[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?';
const NAME = `${LABEL}(\\.${LABEL})*`;
const ENDS_IN_NUMBER = /(^|\.)([0-9]+|0[xX][0-9a-fA-F]*)$/;

const rewrittenPath = (at: string): readonly Rule[] => [
  ...path(at),
  { at, rule: "self != '/_oidc' && !self.startsWith('/_oidc/')", message: REWRITES_TO_RESERVED },
];

const REWRITE: readonly Rule[] = [
  {
    at: 'spec.rewrite',
    rule: 'has(self.path) || has(self.prefix) || has(self.host)',
    message: 'says nothing; write path, prefix or host, or leave it out',
  },
  { at: 'spec.rewrite', rule: '!has(self.path) || !has(self.prefix)', message: 'has both path and prefix; keep one' },
  ...rewrittenPath('spec.rewrite.path'),
  ...rewrittenPath('spec.rewrite.prefix'),
  {
    at: 'spec.rewrite.host',
    rule: `${matches('self', new RegExp(`^${NAME}$`))} && !${matches('self', ENDS_IN_NUMBER)}`,
    message: HOST_HINT,
  },
  {
    at: 'spec',
    rule: '!has(self.stripPath) || !self.stripPath || !has(self.rewrite) || (!has(self.rewrite.path) && !has(self.rewrite.prefix))',
    message: STRIPS_ALREADY,
    fieldPath: '.stripPath',
  },
  {
    at: 'spec',
    rule: "!(has(self.stripPath) && self.stripPath || has(self.rewrite) && has(self.rewrite.prefix)) || self.paths.all(p, p.type == 'Prefix')",
    message: NEEDS_PREFIXES,
    fieldPath: '.paths',
  },
  {
    at: 'spec',
    rule: '!has(self.preserveHost) || !has(self.rewrite) || !has(self.rewrite.host)',
    message: PRESERVES_ANOTHER,
    fieldPath: '.preserveHost',
  },
];

const unchangeable = (at: string, all: readonly UnchangeableHeaders[]): readonly Rule[] =>
  all.map(({ names, message }) => ({ at, rule: `!${isHeader('self.lowerAscii()', names)}`, message }));

const filter = (
  at: string,
  written: readonly UnchangeableHeaders[],
  removed: readonly UnchangeableHeaders[],
): readonly Rule[] => [
  { at, rule: 'has(self.set) || has(self.add) || has(self.remove)', message: NOTHING_IN_FILTER },
  ...['set', 'add'].flatMap((place): readonly Rule[] => [
    ...unchangeable(`${at}.${place}[].name`, written),
    {
      at: `${at}.${place}[].value`,
      rule: matches('self', /^([!-~]([ \t!-~]*[!-~])?)?$/),
      message: VALUE_HINT,
    },
  ]),
  ...unchangeable(`${at}.remove[]`, removed),
];

const HEADERS: readonly Rule[] = [
  ...filter('spec.requestHeaders', UNCHANGEABLE_IN_REQUESTS, UNCHANGEABLE_IN_REQUESTS),
  {
    at: 'spec.requestHeaders.add[].name',
    rule: `!(self.lowerAscii() in ${listOf(SINGLE_HEADERS)})`,
    message: ONCE_ONLY,
  },
  ...filter('spec.responseHeaders', [...UNCHANGEABLE_IN_RESPONSES, COOKIES_OF_RESPONSES], UNCHANGEABLE_IN_RESPONSES),
];

const CORS: readonly Rule[] = [
  {
    at: 'spec.cors',
    rule: "!has(self.allowCredentials) || !self.allowCredentials || !('*' in self.allowOrigins)",
    message: ANY_WITH_CREDENTIALS,
    fieldPath: '.allowOrigins',
  },
  {
    at: 'spec.cors.allowOrigins',
    rule: "!('*' in self) || self.size() == 1",
    message: ANY_BESIDE_OTHERS,
  },
  { at: 'spec.cors.allowOrigins[]', rule: "self != 'null'", message: NULL_ORIGIN },
  {
    at: 'spec.cors.allowOrigins[]',
    rule: `self == '*' || !self.contains('*') || ${matches('self', new RegExp(`^https://\\*\\.${LABEL}(\\.${LABEL})+$`))} && !${matches('self', ENDS_IN_NUMBER)}`,
    message: WILDCARD_ORIGIN_HINT,
  },
  {
    at: 'spec.cors.allowOrigins[]',
    rule: `self.contains('*') || self == 'null' || ${matches('self', new RegExp(`^https?://(${NAME}|\\[[0-9a-f:.]+\\])(:[1-9][0-9]{0,4})?$`))} && !${matches('self', /^(http:.*:80|https:.*:443)$/)}`,
    message: ORIGIN_HINT,
  },
  ...['allowHeaders', 'exposeHeaders'].map((field) => ({
    at: 'spec.cors',
    rule: `!has(self.allowCredentials) || !self.allowCredentials || !has(self.${field}) || !('*' in self.${field})`,
    message: ALL_HEADERS_WITH_CREDENTIALS,
    fieldPath: `.${field}`,
  })),
  duration('spec.cors.maxAge', '0s', '24h', MAX_AGE_HINT),
];

/** `methods`: rules over a list of methods. */
export const filterRules = (methods: (at: string) => readonly Rule[]): readonly Rule[] => [
  ...REWRITE,
  ...HEADERS,
  ...CORS,
  ...methods('spec.cors.allowMethods'),
  {
    at: 'spec',
    rule: `!has(self.cors) || !has(self.responseHeaders) || ${[
      ['set', '.name'],
      ['add', '.name'],
      ['remove', ''],
    ]
      .map(
        ([place, name]) =>
          `(!has(self.responseHeaders.${place}) || self.responseHeaders.${place}.all(h, !${isHeader(`h${name}.lowerAscii()`, CORS_HEADERS.names)}))`,
      )
      .join(' && ')}`,
    message: CORS_HEADERS.message,
    fieldPath: '.responseHeaders',
  },
  {
    at: 'spec.clients.allow[]',
    rule: matches('self', /^[0-9a-fA-F:.]+(\/(0|[1-9][0-9]{0,2}))?$/),
    message: CIDR_HINT,
  },
];
