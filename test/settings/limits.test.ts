import { describe, expect, it } from 'vitest';
import { LIMITS, limitConflicts } from '../../src/proxy/limit-table.ts';
import { DEFAULT_LIMITS } from '../../src/proxy/limits.ts';
import { readSettings } from '../../src/settings.ts';

/** What comes of `--limits`: the limits, or what is wrong. */
function read(text: string) {
  const read = readSettings(['serve', '--files', 'x', '--limits', text], false, {});
  if (!read.ok) return read.problems;
  if (read.settings.command !== 'serve') throw new Error('another command');
  return read.settings.limits;
}

describe('--limits', () => {
  it('has the usual ones where nothing is written', () => {
    const read = readSettings(['serve', '--files', 'x'], false, {});
    expect(read).toMatchObject({ ok: true, settings: { limits: DEFAULT_LIMITS } });
  });

  it('takes numbers, sizes, durations, shares and off', () => {
    expect(
      read('connections=300, headerBytes=64Ki,bodyBytes=1G,headTimeout=1m30s,memory=75%,bodyRate=off,loopDelay=off'),
    ).toEqual({
      ...DEFAULT_LIMITS,
      connections: 300,
      connectionsPerAddress: 150,
      handshakes: 300,
      headerBytes: 65_536,
      bodyBytes: 1_000_000_000,
      headTimeout: 90_000,
      memory: 0.75,
      bodyRate: 0,
      loopDelay: Number.POSITIVE_INFINITY,
    });
  });

  it('also comes from the variable', () => {
    const read = readSettings(['serve', '--files', 'x'], false, { POSTERN_LIMITS: 'connections=7' });
    expect(read).toMatchObject({ ok: true, settings: { limits: { connections: 7 } } });
  });

  it.each([
    ['conections=5', '--limits: there is no limit "conections"; did you mean connections?'],
    ['connections=0', "--limits: connections=0 can't be used: write a number from 1 to 1000000"],
    ['connections', "--limits: connections can't be used: write a number from 1 to 1000000"],
    ['connections=off', "--limits: connections=off can't be used: write a number from 1 to 1000000"],
    ['headTimeout=5', "--limits: headTimeout=5 can't be used: write a duration, as in 10s, from 100ms to 86400s"],
    ['headerBytes=1Ki', "--limits: headerBytes=1Ki can't be used: write a size, as in 64Ki, from 8Ki to 1Mi"],
    ['memory=1', "--limits: memory=1 can't be used: write a percentage, as in 85%, from 10% to 99%, or off"],
    ['headTimeout=5s,headTimeout=6s', '--limits: headTimeout is there twice: write it once'],
    [
      'connections=10,connectionsPerAddress=20',
      '--limits: connectionsPerAddress=20 is more than connections=10, so that it would never strike: write at most 10, or a larger connections',
    ],
    [
      'requestTimeout=20s',
      '--limits: bodyTimeout=60s is more than requestTimeout=20s, which a body is part of: write at most 20s, or a larger requestTimeout',
    ],
  ])('says of %j what to write instead', (text, problem) => {
    expect(read(text)).toEqual([problem]);
  });

  it('the usual ones are within their own bounds, and go together', () => {
    expect(limitConflicts(DEFAULT_LIMITS)).toEqual([]);
    for (const [name, value] of Object.entries(DEFAULT_LIMITS)) {
      if (['checkInterval', 'streamWindow', 'streamResets', 'controlFrames'].includes(name)) continue;
      const rule = Object.entries(LIMITS).find(([known]) => known === name)?.[1];
      expect(rule, name).toBeDefined();
      if (Number.isFinite(value)) expect(value).toBeGreaterThanOrEqual(rule?.least ?? 0);
      else expect(rule?.off).toBe(true);
      if (Number.isFinite(value)) expect(value).toBeLessThanOrEqual(rule?.most ?? 0);
    }
  });
});
