/** Whole number from `least` to `most`. */
export const between = (least: number, most: number): number => least + Math.floor(Math.random() * (most - least + 1));

/** A size in bytes, small ones as likely as large ones: uniform in its logarithm. 0 now and then. */
export const size = (most: number): number =>
  Math.random() < 0.03 ? 0 : Math.floor(Math.exp(Math.random() * Math.log(most)));

/** True once in so many times. */
export const oneIn = (times: number): boolean => Math.random() * times < 1;

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
