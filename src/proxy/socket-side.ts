import type { Socket } from 'node:net';
import type { TunnelSide, TunnelSink } from './tunnel-side.ts';

/** What is held of a peer that sends before anybody listens; then its connection isn't read any more (A080). */
const HELD_BYTES = 64 * 1024;
/** Up to this size bytes are written as a latin1 string: the copy that is needed anyway, and cheaper than a Buffer. */
const SMALL = 8192;

/** A socket as one end of a tunnel. Whoever has the socket hands on what happens to it. */
export class SocketSide implements TunnelSide {
  readonly #socket: Socket;
  #sink: TunnelSink | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #paused = false;
  #reading = false;
  #ended = false;
  #closed = false;
  received = 0;
  sent = 0;

  /** `early`: what came of the peer before, copied already. */
  constructor(socket: Socket, early: Buffer) {
    this.#socket = socket;
    if (early.length > 0) this.#hold(early);
  }

  // What happens to the socket.

  /** `bytes` may lie in a buffer that others read into next. False: stop reading. */
  receive(bytes: Buffer): boolean {
    this.#reading = true;
    if (this.#sink === undefined) this.#hold(Buffer.from(bytes));
    else this.#give(this.#sink, bytes);
    this.#reading = false;
    return !this.#paused;
  }

  drained(): void {
    this.#sink?.drained();
  }

  ended(): void {
    this.#ended = true;
    this.#sink?.ended();
  }

  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = [];
    this.#sink?.closed();
  }

  // The end of a tunnel.

  start(sink: TunnelSink): void {
    this.#sink = sink;
    const held = this.#held;
    this.#held = [];
    if (this.#closed) {
      sink.closed();
      return;
    }
    this.#paused = false;
    this.#reading = true;
    for (const bytes of held) this.#give(sink, bytes);
    this.#reading = false;
    if (this.#ended) sink.ended();
    if (this.#paused) this.#socket.pause();
    else this.#socket.resume();
  }

  pause(): void {
    this.#paused = true;
    // During a read its return value stops the reading.
    if (!this.#reading) this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#reading) this.#socket.resume();
  }

  write(bytes: Buffer): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    this.sent += bytes.length;
    return bytes.length <= SMALL ? socket.write(bytes.toString('latin1'), 'latin1') : socket.write(Buffer.from(bytes));
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroySoon();
    // A socket that waits to be resumed would never see that its peer is gone.
    this.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #give(sink: TunnelSink, bytes: Buffer): void {
    this.received += bytes.length;
    sink.data(bytes);
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= HELD_BYTES) this.pause();
  }
}
