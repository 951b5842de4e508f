import type { Socket } from 'node:net';

/** What the first bytes of a connection are: `undefined` where more are needed. */
export type Read<T> = (bytes: Buffer) => { readonly value: T; readonly length: number } | undefined;

/**
 * Reads the first bytes of a connection; `length` of them are used up, all others stay for whoever reads next. `done` is
 * called once with the value, or with why there is none: the connection ended, or the time is up.
 */
export function readAhead<T>(
  socket: Socket,
  read: Read<T>,
  timeout: number,
  done: (result: { readonly value: T } | 'Gone' | 'Late') => void,
): void {
  let held: Buffer = Buffer.alloc(0);
  const finish = (result: { readonly value: T } | 'Gone' | 'Late'): void => {
    clearTimeout(timer);
    socket.off('readable', more).off('end', gone).off('close', gone).off('error', ignore);
    done(result);
  };
  const gone = (): void => finish('Gone');
  const ignore = (): void => {};
  const more = (): void => {
    for (let chunk: unknown = socket.read(); Buffer.isBuffer(chunk); chunk = socket.read()) {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const result = read(held);
      if (result === undefined) continue;
      if (held.length > result.length) socket.unshift(held.subarray(result.length));
      finish(result);
      return;
    }
  };
  const timer = setTimeout(() => finish('Late'), timeout);
  socket.on('readable', more).on('end', gone).on('close', gone).on('error', ignore);
}
