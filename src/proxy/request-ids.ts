import { randomBytes } from 'node:crypto';

/** Unique over processes; a random UUID for each request would cost 1 µs, and nobody has to be unable to guess one. */
export function requestIds(): () => string {
  const prefix = randomBytes(12).toString('hex');
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(16)}`;
  };
}
