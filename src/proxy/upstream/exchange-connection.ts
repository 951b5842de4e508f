import type { OutgoingRequest } from '../forwarder.ts';
import type { TunnelSide } from '../tunnel-side.ts';
import type { ConnectionUser } from './connection.ts';

/** What carries one exchange: a connection of its own over HTTP/1.1, one stream of many over HTTP/2. */
export interface ExchangeConnection {
  /** Requests that were begun on the connection below it. */
  readonly uses: number;
  /** Something of the response has come. */
  readonly heard: boolean;
  /** Whether a body goes as it is, because frames say where it ends. */
  readonly framed: boolean;
  /** Whether the bytes at hand are this connection's alone, so that they can be handed on as they are. */
  readonly lends: boolean;
  /** What was lent is still needed: nothing is read into its place. */
  keep(): void;
  /** Begins a request: what arrives from now on is its response. */
  use(user: ConnectionUser, method: string, upgrade?: string): void;
  /** The head of the request, once it is connected. */
  begin(request: OutgoingRequest): void;
  /** False: wait for `drained`. */
  write(data: string | Buffer): boolean;
  /** All of the request was written. */
  sent(): void;
  cork(): void;
  uncork(): void;
  pause(): void;
  resume(): void;
  /** The user is done with it. True where it can carry another request, and is to be kept. */
  release(everythingSent: boolean): boolean;
  destroy(): void;
  /** The upstream has switched to another protocol: it is for nobody else ever. `early`: what came after the head. */
  switched(early: Buffer): TunnelSide;
}
