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
