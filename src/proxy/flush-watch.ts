import type { Socket } from 'node:net';
import type { LimitName } from './limits.ts';

/** What of a front a watch looks at. */
interface FlushHost {
  /** `sendTimeout`: how long nothing of an answer may be taken, in milliseconds. */
  readonly limits: { readonly sendTimeout: number };
  limited(limit: LimitName): void;
}

/**
 * What is answered has to be taken: a client that doesn't read holds no connection for ever (A160). Looks at a socket that
 * has something to send, until the timer that it gives back is cleared.
 */
export function watchFlush(socket: Socket, host: FlushHost): NodeJS.Timeout {
  let waits = true;
  let taken = takenOf(socket);
  const timer = setInterval(() => {
    const now = takenOf(socket);
    const waited = waits;
    waits = socket.writableLength > 0;
    if (waited && waits && now === taken) {
      host.limited('sendTimeout');
      socket.destroy();
    }
    taken = now;
  }, host.limits.sendTimeout);
  timer.unref();
  return timer;
}

/** Bytes that the system has taken over, all together. */
const takenOf = (socket: Socket): number => socket.bytesWritten - socket.writableLength;
