import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isFieldValue } from './gate.ts';
import type { DiscardLimits } from './request-body.ts';
import { SocketSide } from './socket-side.ts';
import type { TunnelSide } from './tunnel-side.ts';

/**
 * A client's connection that node:http has let go of, because a request asks for an upgrade. What the client sends behind
 * that request is held, up to a bound, and goes nowhere unless the upstream switches too (A080, T17).
 */
export class UpgradeSeat {
  readonly side: SocketSide;
  readonly #socket: Socket;
  readonly #limits: DiscardLimits;
  #left = false;
  /** Whether the connection was handed over. */
  switched = false;

  /** `early`: what came behind the request's head. */
  constructor(socket: Socket, early: Buffer, limits: DiscardLimits) {
    this.#socket = socket;
    this.#limits = limits;
    const side = new SocketSide(socket, early);
    this.side = side;
    // Set for the time between requests, when one came before on this connection.
    socket.setTimeout(0);
    // A socket of node:https would end its side with its peer's.
    socket.allowHalfOpen = true;
    socket.on('error', () => {});
    socket.on('close', () => side.closed());
    socket.on('end', () => {
      // Nobody waits for an answer any more; node:http ends a connection then, too.
      if (this.switched) side.ended();
      else if (this.#left) socket.destroySoon();
      else socket.destroy();
    });
    socket.on('data', (bytes: Buffer) => {
      if (!side.receive(bytes)) socket.pause();
    });
  }

  /** For answers that switch to nothing, each the last of the connection. */
  response(request: IncomingMessage): ServerResponse {
    const socket = this.#socket;
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.on('finish', () => {
      response.detachSocket(socket);
      response.emit('close');
    });
    return response;
  }

  /** Writes the 101 in the place of that response. `closed`: the connection is gone. @throws where a header can't be sent. */
  take(response: ServerResponse, protocol: string, headers: readonly string[], closed: () => void): TunnelSide {
    const head = switchingHead(protocol, headers);
    response.detachSocket(this.#socket);
    this.switched = true;
    this.#socket.on('drain', () => this.side.drained());
    this.#socket.on('close', closed);
    this.#socket.write(head, 'latin1');
    return this.side;
  }

  /**
   * Ends the connection, but reads on for a while: bytes that nobody has read would make the system reset it, and the
   * client may lose the answer (RFC 9112 section 9.6).
   */
  leave(): void {
    const socket = this.#socket;
    this.#left = true;
    socket.end();
    let left = this.#limits.discardBytes;
    const timer = setTimeout(() => socket.destroy(), this.#limits.discardTimeout);
    timer.unref();
    this.side.start({
      data: (bytes) => {
        left -= bytes.length;
        if (left < 0) socket.destroy();
      },
      drained: () => {},
      ended: () => {},
      closed: () => clearTimeout(timer),
    });
  }
}

/** RFC 9110 section 15.2.2. */
function switchingHead(protocol: string, headers: readonly string[]): string {
  let head = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] ?? '';
    if (!isFieldValue(value)) throw new Error(`the value of ${headers[i]} can't be sent as a header`);
    head += `${headers[i]}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}
