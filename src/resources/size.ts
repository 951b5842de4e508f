declare const checked: unique symbol;

/** A number of bytes: whole, at least 0, exact as a number. */
export type Bytes = number & { readonly [checked]: 'Bytes' };

/** As Kubernetes writes quantities of memory: a whole number, and a unit of 1024 or of 1000. All of them are exact numbers. */
export const SIZE = /^(?:[0-9]{1,15}|[0-9]{1,6}(Ki|Mi|Gi|k|M|G))$/;
export const SIZE_HINT = 'must be a size, as in 10Mi, 512Ki or 1048576';

const UNITS: Readonly<Record<string, number>> = {
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  k: 1000,
  M: 1000 ** 2,
  G: 1000 ** 3,
};

/** `10Mi` to bytes; undefined where the text isn't as SIZE has it. */
export function parseSize(text: string): Bytes | undefined {
  const parts = SIZE.exec(text);
  if (parts === null) return undefined;
  const unit = parts[1] ?? '';
  return (Number(text.slice(0, text.length - unit.length)) * (UNITS[unit] ?? 1)) as Bytes;
}
