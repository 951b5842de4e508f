import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenKeys, openKeys } from '../../src/cli/keys-file.ts';
import type { PluginLog } from '../../src/plugins/contract.ts';
import { Directory } from '../sources/directory.ts';
import { until } from '../support/gateway.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const line = (id: string, added = '2026-01-01T00:00:00Z'): string =>
  `${id} ${randomBytes(32).toString('base64')} ${added}\n`;

let directory: Directory;
let keys: OpenKeys | undefined;
let said: string[];

const say =
  (level: string) =>
  (fields: Readonly<Record<string, unknown>>, message: string): void => {
    said.push(`${level} ${message} ${JSON.stringify(fields)}`);
  };
const log: PluginLog = { info: say('info'), warn: say('warn'), error: say('error') };

beforeEach(() => {
  directory = new Directory();
  said = [];
});

afterEach(() => {
  keys?.close();
  directory.remove();
});

const open = async (file?: string): Promise<OpenKeys> => {
  keys = await openKeys(file === undefined ? undefined : directory.at(file), () => NOW, log);
  return keys;
};
const says = async (pattern: RegExp): Promise<void> =>
  await until(
    () => said.some((text) => pattern.test(text)),
    `${pattern}`,
    () => said.join('\n'),
  );

describe('session keys', () => {
  it('are made at start, with a warning, where no file is named', async () => {
    const { ring } = await open();
    expect(ring.opening(ring.sealing().id)).toBe(ring.sealing());
    expect(said).toEqual([expect.stringMatching(/^warn .*log in again after a restart/)]);
  });

  it('F41 are taken over live; a malformed or vanished file keeps the old ones and is said once', async () => {
    const old = line('old');
    directory.write('keys', old);
    const { ring } = await open('keys');
    expect(ring.sealing().id).toBe('old');

    directory.replace('keys', `${old}${line('new', '2026-05-31T23:50:00Z')}`);
    await says(/^info session keys read again .*"old","new"/);
    expect(ring.sealing().id).toBe('new');
    expect(ring.opening('old')?.id).toBe('old');

    directory.write('keys', 'old nonsense 2026-01-01T00:00:00Z\n');
    await says(/^error .*Line 1: .*from before stay in use/);
    expect(ring.sealing().id).toBe('new');
    directory.delete('keys');
    await says(/^error .*can't be read.*from before stay in use/);
    expect(ring.opening('old')?.id).toBe('old');

    directory.write('keys', line('third'));
    await says(/^info session keys read again .*"third"/);
    expect(ring.opening('old')).toBeUndefined();
    expect(said.filter((text) => text.startsWith('error'))).toHaveLength(2);
  });

  it('F41 follow a mounted Secret, which changes by a swap of links', async () => {
    directory.write('..v1/keys', line('one'));
    directory.write('..v2/keys', line('two'));
    directory.link('..data', '..v1');
    directory.link('keys', '..data/keys');
    const { ring } = await open('keys');
    directory.swap('..data', '..v2');
    await until(() => ring.opening('two') !== undefined, 'the second key');
    expect(ring.opening('one')).toBeUndefined();
  });

  it('A180 are never in what is said of them', async () => {
    const secret = randomBytes(32).toString('base64');
    directory.write('keys', `a ${secret} 2026-01-01T00:00:00Z\n`);
    await open('keys');
    directory.write('keys', `a ${secret} yesterday\n`);
    await says(/^error/);
    directory.write('keys', `a ${secret}= 2026-01-01T00:00:00Z\n`);
    await until(() => said.filter((text) => text.startsWith('error')).length === 2, 'the second complaint');
    expect(said.join('\n')).not.toContain(secret);
  });

  it('do not start from a file that is too large or no file', async () => {
    directory.write('large', `# ${'x'.repeat(70_000)}\n${line('a')}`);
    await expect(open('large')).rejects.toThrow(/--keys-file .*can't be read/);
    await expect(open('.')).rejects.toThrow(/can't be read/);
    expect(said).toEqual([]);
  });
});
