/** Paints words on a terminal. */
export interface Paint {
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly good: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

/** SGR colours of the terminal's own palette (ECMA-48); without colour, every paint leaves its text as it is. */
export function paint(colour: boolean): Paint {
  const sgr =
    (code: number) =>
    (text: string): string =>
      colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { bad: sgr(31), warn: sgr(33), good: sgr(32), strong: sgr(1), faint: sgr(2) };
}

/**
 * Text of objects and files, for a terminal: control characters would move its cursor or change what is shown (A170).
 * Line breaks become visible too.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
