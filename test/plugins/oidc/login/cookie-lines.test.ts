import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCookieLines } from '../../../../src/plugins/oidc/session/cookie-lines.ts';

const NAME = '__Host-postern-s-abcdefgh';
const seal = (user: number): string => `${'x'.repeat(60)}${String(user).padStart(24, '0')}`;

describe('Cookie lines that were read before', () => {
  it('gives what the very same line came to, wherever in it the session stands', () => {
    const lines = createCookieLines<number>();
    const all = [1, 2, 3].flatMap((user) => [
      `${NAME}=${seal(user)}`,
      `theme=dark; ${NAME}=${seal(user + 10)}; lang=en`,
      `${NAME}.0=${seal(user + 20)}; ${NAME}.1=rest`,
    ]);
    for (const [value, line] of all.entries()) lines.set(line, NAME, value);
    for (const [value, line] of all.entries()) expect(lines.get(line, NAME)).toBe(value);
  });

  it('A140 gives nothing for a line that differs anywhere, though it ends as one that came before', () => {
    const line = `a=1; ${NAME}=${seal(7)}; b=2`;
    const lines = createCookieLines<string>();
    lines.set(line, NAME, 'ada');
    const edit = fc.tuple(fc.nat({ max: line.length }), fc.nat({ max: 2 }), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(edit, ([at, cut, text]) => {
        const other = line.slice(0, at) + text + line.slice(at + cut);
        expect(lines.get(other, NAME)).toBe(other === line ? 'ada' : undefined);
      }),
    );
    expect(lines.get(`${line}; ${NAME}=${seal(8)}`, NAME)).toBeUndefined();
    expect(lines.get('', NAME)).toBeUndefined();
  });

  it('A165 stays within its budget: the oldest go, and a line beyond it is not kept', () => {
    const lines = createCookieLines<number>(1000);
    const line = (user: number): string => `${NAME}=${seal(user)}`;
    for (let user = 0; user < 50; user++) lines.set(line(user), NAME, user);
    const kept = Array.from({ length: 50 }, (_, user) => user).filter((user) => lines.get(line(user), NAME) === user);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => 50 - kept.length + at));
    expect(kept.length).toBeGreaterThan(5);
    lines.set(`${'z'.repeat(2000)}; ${line(60)}`, NAME, 60);
    expect(lines.get(`${'z'.repeat(2000)}; ${line(60)}`, NAME)).toBeUndefined();
    expect(lines.get(line(49), NAME)).toBe(49);
  });
});
