import { randomBytes } from 'node:crypto';

/** A secret that can be found again in any output, also where it was encoded on the way. */
export interface Planted {
  /** What it is, for the message of a failure. */
  readonly what: string;
  readonly value: string;
}

/** A marked secret: 24 characters of A-Z a-z 0-9, so that it fits wherever a secret fits. */
export const plant = (what: string): Planted => ({
  what,
  value: `PLANTED${randomBytes(9).toString('hex').slice(0, 17)}`,
});

export interface Leak {
  readonly what: string;
  /** How it was written there. */
  readonly as: string;
  /** What stands around it, the secret itself left out. */
  readonly around: string;
}

/**
 * Looks for secrets in an output: as they are, in base64 and base64url at each of the three offsets (a Basic header, a
 * segment of a JWT), in hex, percent-encoded and backwards. A short beginning counts: half a secret is a leak too.
 */
export function leaks(output: string | Buffer, planted: readonly Planted[]): readonly Leak[] {
  const text = typeof output === 'string' ? output : output.toString('latin1');
  const found: Leak[] = [];
  for (const { what, value } of planted) {
    for (const { as, needle } of spellings(value)) {
      const at = text.toLowerCase().indexOf(needle.toLowerCase());
      if (at < 0) continue;
      const around = `${text.slice(Math.max(0, at - 60), at)}<${what}>${text.slice(at + needle.length, at + needle.length + 20)}`;
      found.push({ what, as, around });
    }
  }
  return found;
}

/** Length of a beginning that counts. Long enough not to be in an output by chance. */
const BEGINNING = 16;

function spellings(value: string): readonly { readonly as: string; readonly needle: string }[] {
  const part = value.slice(0, Math.max(BEGINNING, Math.floor(value.length * 0.7)));
  const out = [
    { as: 'plain', needle: part },
    { as: 'hex', needle: Buffer.from(part).toString('hex') },
    { as: 'percent-encoded', needle: [...Buffer.from(part)].map((b) => `%${b.toString(16)}`).join('') },
    { as: 'backwards', needle: [...part].reverse().join('') },
    { as: 'decimal bytes', needle: [...Buffer.from(part)].join(',') },
  ];
  for (const offset of [0, 1, 2]) {
    // Characters of base64 that depend on neighbours are cut off at both ends.
    const shifted = Buffer.concat([Buffer.alloc(offset), Buffer.from(part)])
      .toString('base64')
      .replace(/=+$/, '');
    const needle = shifted.slice(offset === 0 ? 0 : offset + 1, -1);
    out.push(
      { as: `base64 at ${offset}`, needle },
      { as: `base64url at ${offset}`, needle: needle.replace(/\+/g, '-').replace(/\//g, '_') },
    );
  }
  return out;
}
