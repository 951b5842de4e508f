import type { Socket } from 'node:net';

/**
 * For a connection whose last answer is written while its request still comes in. To close a socket with bytes that nobody
 * read resets it, and takes away what the client hasn't read yet of the answer (RFC 9112 section 9.6): our side is closed
 * when all is sent, and the rest once the client has closed too, or after `milliseconds`.
 */
export function closeSlowly(socket: Socket, milliseconds: number): void {
  // What node:http calls after the last answer of a connection.
  socket.destroySoon = () => {
    if (socket.destroyed) return;
    socket.end();
    if (socket.readableEnded) {
      socket.destroy();
      return;
    }
    socket.once('end', () => socket.destroy());
    const timer = setTimeout(() => socket.destroy(), milliseconds);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  };
}
