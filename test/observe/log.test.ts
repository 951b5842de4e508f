import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textForm } from '../../src/observe/log/text-form.ts';
import { createLog, type Log, type LogOptions } from '../../src/observe/log.ts';
import { objectKey } from '../../src/resources/keys.ts';
import { record, split } from './publications.ts';

function written(options: Partial<LogOptions>, use: (log: Log) => void): string {
  let text = '';
  use(
    createLog({
      format: 'json',
      level: 'info',
      colour: false,
      output: { write: (line) => (text += line) },
      ...options,
    }),
  );
  return text;
}

// What moves a cursor, starts a line, or makes text look like another.
const HOSTILE = '\n\r\u001b[31mERROR\u001b[0m\u009b2J\u0007\u2028\u202etxt.exe\u200b" \\ \ud800';

/** Every UTF-16 unit, halves of pairs too; the lower ones more often. */
const unit = fc.oneof(fc.integer({ min: 0, max: 0x9f }), fc.integer({ min: 0, max: 0xffff }));
const anyText = fc.string({ unit: unit.map((code) => String.fromCharCode(code)) });

describe('JSON form', () => {
  it('writes one line for a request, with every field by name', () => {
    const text = written({}, (log) => {
      log.request(record({ plugin: objectKey('OidcPlugin', split('shop/okta')), rule: 'admins', durationMs: 12.3456 }));
    });
    const { time, ...line } = JSON.parse(text);
    expect(new Date(time).getTime()).not.toBeNaN();
    expect(line).toEqual({
      level: 'info',
      part: 'request',
      request_id: 'r-1',
      client: '203.0.113.7',
      method: 'GET',
      host: 'shop.example.com',
      path: '/orders',
      status: 200,
      request_bytes: 10,
      response_bytes: 20,
      duration_ms: 12.3,
      upstream_ms: 8,
      route: 'shop/orders',
      service: 'shop/orders',
      plugin: 'OidcPlugin/shop/okta',
      outcome: 'forwarded',
      rule: 'admins',
      msg: 'request',
    });
  });

  it('names the part, and the plugin', () => {
    const text = written({}, (log) => {
      log.part('files').warn({ file: 'a.yaml' }, 'not YAML');
      log.plugin(objectKey('OidcPlugin', split('shop/okta'))).info({}, 'discovered');
    });
    expect(text).toContain('"level":"warn"');
    expect(text).toContain('"part":"files","file":"a.yaml","msg":"not YAML"');
    expect(text).toContain('"part":"plugin","plugin":"shop/okta","msg":"discovered"');
  });

  it('A179 hostile text stays inside its string, one line a request', () => {
    let text = '';
    const log = createLog({
      format: 'json',
      level: 'info',
      colour: false,
      output: { write: (line) => (text += line) },
    });
    fc.assert(
      fc.property(anyText, (path) => {
        text = '';
        log.request(record({ path: path + HOSTILE }));
        expect(text.split('\n')).toHaveLength(2);
        expect(JSON.parse(text).path).toBe(path + HOSTILE);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
      }),
    );
  });

  it('F55 a line that cannot be made is replaced by one that says so', () => {
    const text = written({}, (log) => {
      const bad = {
        get value(): string {
          throw new Error('no');
        },
      };
      log.part('main').info(bad, 'x');
      log.part('main').info(
        {
          value: {
            toJSON: () => {
              throw new Error('no');
            },
          },
        },
        'y',
      );
      log.part('main').info({}, 'z');
    });
    expect(text).toContain('a log line could not be made');
    expect(text).toContain('"msg":"z"');
  });

  it('F55 an output that throws fails nobody', () => {
    const output = {
      write(): never {
        throw new Error('closed');
      },
    };
    for (const format of ['json', 'text'] as const) {
      const log = createLog({ format, level: 'info', colour: false, output });
      expect(() => {
        log.request(record({}));
        log.part('main').error({ err: new Error('x') }, 'y');
      }).not.toThrow();
    }
  });
});

describe('text form', () => {
  const text = (use: (log: Log) => void): string => written({ format: 'text' }, use);

  it('is aligned and says what the JSON form says', () => {
    const lines = text((log) => {
      log.part('main').info({ gateway: 'http://localhost:8080', note: 'two words' }, 'ready');
      log.request(record({}));
      log.request(
        record({ method: 'DELETE', status: 403, outcome: 'forbidden', rule: 'only admins', upstreamMs: undefined }),
      );
    });
    expect(lines.replace(/^\d\d:\d\d:\d\d/gm, 'TIME')).toBe(
      [
        'TIME INFO  main     ready  gateway=http://localhost:8080  note="two words"',
        'TIME INFO  request  GET     200 shop.example.com/orders  12 ms  route=shop/orders',
        'TIME INFO  request  DELETE  403 shop.example.com/orders  12 ms  outcome=forbidden  rule="only admins"  route=shop/orders  request_id=r-1',
        '',
      ].join('\n'),
    );
  });

  it('shows an error with its cause and place below its line', () => {
    const lines = text((log) => {
      log.part('main').error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    });
    expect(lines).toMatch(/ERROR main {5}failed\n {4}Error: outer\n {6}at .*log\.test\.ts/);
    expect(lines).toContain('\n    Error: inner\n');
  });

  it('A179 escapes controls, ANSI, line separators and direction marks, wherever they stand', () => {
    const lines = text((log) => {
      log.request(
        record({
          path: `/${HOSTILE}`,
          host: HOSTILE,
          method: HOSTILE,
          reason: HOSTILE,
          cause: HOSTILE,
          outcome: 'bad_request',
        }),
      );
      log.part('main').warn({ [HOSTILE]: HOSTILE, deep: { a: HOSTILE } }, HOSTILE);
      log.part('main').error({ err: new Error(HOSTILE) }, 'x');
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(lines).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u2028\u202e]/);
    expect(lines.split('\n').filter((line) => /^\d\d:/.test(line))).toHaveLength(3);
    expect(lines).toContain('\\x1b[31mERROR');
    expect(lines).toContain('\\u202etxt.exe');
  });

  it('A179 nothing that a line holds makes another line or a control character', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (value, colour) => {
        const line = textForm(JSON.stringify({ level: 'info', part: 'main', msg: value, x: value }), { colour });
        expect(line.split('\n')).toHaveLength(2);
        const plain = line.replaceAll('\u001b[36m', '').replaceAll('\u001b[0m', '').slice(0, -1);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
        expect(plain).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });

  it('is coloured only when told', () => {
    const line = JSON.stringify({ level: 'warn', part: 'main', msg: 'x' });
    expect(textForm(line, { colour: true })).toContain('\u001b[33m');
    expect(textForm(line, { colour: false })).not.toContain('\u001b');
  });

  it('takes lines that are not its own', () => {
    expect(textForm('not JSON \u001b[31m\n', { colour: false })).toBe('not JSON \\x1b[31m\n');
    expect(textForm('[1]', { colour: false })).toBe('[1]\n');
  });
});

describe('standard output', () => {
  const script = `
    import { createLog } from './src/observe/log.ts';
    import { standardOutput } from './src/observe/log/stdout.ts';
    const output = standardOutput();
    const log = createLog({ format: 'json', level: 'info', colour: false, output });
    let n = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < 1000; i += 1) log.part('main').info({ n: (n += 1) }, 'x'.repeat(200));
      if (n >= 20_000) {
        clearInterval(timer);
        void output.drained().then(() => {
          process.stderr.write('came to the end');
          process.exit(0);
        });
      }
    }, 1);
  `;
  const run = () =>
    spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'pipe'] });

  it('T26 a reader that goes away ends the log, not the process', async () => {
    const child = run();
    child.stdout.once('data', () => child.stdout.destroy());
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const [code] = await once(child, 'exit');
    expect(errors).toBe('came to the end');
    expect(code).toBe(0);
  });

  it('a reader that stays gets every line in order, also where the process ends right after', async () => {
    const child = run();
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(child, 'close');
    const numbers = [...text.matchAll(/"n":(\d+)/g)].map((match) => Number(match[1]));
    expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, i) => i + 1));
  });
});
