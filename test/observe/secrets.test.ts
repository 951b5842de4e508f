import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/observe/log.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { observeRequests } from '../../src/observe/requests.ts';
import { Redacted } from '../../src/resources/redacted.ts';
import { leaks, plant } from './planted.ts';
import { record } from './publications.ts';

describe('planted secrets', () => {
  const secret = plant('client secret');
  const spelled: readonly (readonly [string, string])[] = [
    ['as it is', secret.value],
    ['in upper case', secret.value.toUpperCase()],
    ['its greater part', secret.value.slice(0, 18)],
    ['hex', Buffer.from(secret.value).toString('hex')],
    ['backwards', [...secret.value].reverse().join('')],
    ['percent-encoded', [...Buffer.from(secret.value)].map((b) => `%${b.toString(16)}`).join('')],
    ['bytes of a Buffer in JSON', JSON.stringify(Buffer.from(secret.value))],
    ['Basic credentials', Buffer.from(`me:${secret.value}`).toString('base64')],
    ['Basic credentials, moved on by one', Buffer.from(`me1:${secret.value}`).toString('base64')],
    ['Basic credentials, moved on by two', Buffer.from(`me12:${secret.value}`).toString('base64')],
    ['a segment of a JWT', Buffer.from(JSON.stringify({ a: secret.value })).toString('base64url')],
  ];
  it.each(spelled)('are found %s', (_, text) => {
    const [leak] = leaks(`{"msg":"x ${text} y"}`, [plant('another'), secret]);
    expect(leak?.what).toBe('client secret');
  });

  it('are not found where they are not', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(leaks(text, [secret])).toEqual([]);
      }),
    );
  });

  it('a report of a leak does not repeat it', () => {
    const [leak] = leaks(`before ${secret.value.slice(0, 17)} after`, [secret]);
    expect(leak?.around).not.toContain(secret.value.slice(0, 16));
    expect(leak?.around).toContain('before <client secret>');
  });
});

describe.each(['json', 'text'] as const)('A180 the log in %s form', (format) => {
  const secret = plant('secret');
  const written = (use: (log: ReturnType<typeof createLog>) => void): string => {
    let text = '';
    use(createLog({ format, level: 'debug', colour: false, output: { write: (line) => (text += line) } }));
    return text;
  };

  it('prints no value of secret type, however deep', () => {
    const value = new Redacted(secret.value);
    const text = written((log) => {
      log.part('main').info({ value, deep: { list: [value] }, map: Object.fromEntries([['a', value]]) }, `x ${value}`);
    });
    expect(text).toContain('[redacted]');
    expect(leaks(text, [secret])).toEqual([]);
  });

  it('of an error prints kind, message, code and place, none of what libraries hang on it', () => {
    const error = Object.assign(
      new Error('token request failed', {
        cause: Object.assign(new Error('inner'), { code: 'ECONNREFUSED', body: secret.value }),
      }),
      {
        response: { headers: { authorization: secret.value } },
        parameters: new URLSearchParams({ code: secret.value }),
      },
    );
    const text = written((log) => {
      log.part('main').error({ err: error }, 'failed');
    });
    expect(text).toContain('token request failed');
    expect(text).toContain('inner');
    expect(text).toContain('secrets.test.ts');
    expect(leaks(text, [secret])).toEqual([]);
  });

  it('cuts queries and fragments off the addresses in messages of errors', () => {
    const text = written((log) => {
      log
        .part('main')
        .error({ err: new TypeError(`bad URL https://idp.example/cb?code=${secret.value}&x=1`) }, 'failed');
      log
        .part('main')
        .error({ err: new TypeError(`bad URL "https://idp.example/cb#access_token=${secret.value}"`) }, 'failed');
    });
    expect(text).toContain('https://idp.example/cb?[redacted]');
    expect(leaks(text, [secret])).toEqual([]);
  });

  it('takes of a request what is named, not what else the record may carry', () => {
    const metrics = createMetrics({ version: '1', now: () => 0 });
    const text = written((log) => {
      const observer = observeRequests(metrics.requests, log, log.part('main'));
      observer.finished(
        Object.assign(record({}), { query: `?code=${secret.value}`, headers: { cookie: secret.value } }),
      );
    });
    expect(text).toContain('/orders');
    expect(leaks(text, [secret])).toEqual([]);
  });
});
