import type { Peer } from '../connection.ts';
import { UpstreamSession } from './session.ts';
import { UpstreamStream } from './stream.ts';

/** A session that nobody uses; they are few, and cost a handshake each. */
const IDLE_MS = 30_000;

/** The HTTP/2 connections to one peer: as few as its limit of streams lets be. */
export class UpstreamSessions {
  readonly #peer: Peer;
  readonly #now: () => number;
  readonly #onRoom: () => void;
  readonly #sessions = new Set<UpstreamSession>();
  #retired = false;
  /** Requests under way. */
  streams = 0;

  constructor(peer: Peer, now: () => number, onRoom: () => void) {
    this.#peer = peer;
    this.#now = now;
    this.#onRoom = onRoom;
  }

  /** A stream for one exchange; with `fresh` on a connection that no other has used. */
  open(fresh: boolean): UpstreamStream {
    this.streams += 1;
    const stream = new UpstreamStream(() => {
      this.streams -= 1;
      this.#onRoom();
    });
    this.#place(stream, fresh);
    return stream;
  }

  get idle(): number {
    let idle = 0;
    for (const session of this.#sessions) if (session.idle) idle += 1;
    return idle;
  }

  get quiet(): boolean {
    return this.#sessions.size === 0;
  }

  retire(): void {
    this.#retired = true;
    for (const session of this.#sessions) session.retire();
  }

  closeIdle(): void {
    const now = this.#now();
    for (const session of this.#sessions) {
      if (!session.idle) session.idleSince = now;
      else if (now - session.idleSince > IDLE_MS) session.retire();
    }
  }

  destroy(): void {
    this.retire();
    for (const session of this.#sessions) session.destroy();
  }

  #place(stream: UpstreamStream, fresh: boolean): void {
    let found: UpstreamSession | undefined;
    if (!fresh) for (const session of this.#sessions) if (session.hasRoom) found ??= session;
    found ??= this.#connect();
    found.add(stream);
  }

  #connect(): UpstreamSession {
    const session = new UpstreamSession(this.#peer, {
      retired: (_session, homeless) => {
        for (const stream of homeless) this.#place(stream, false);
      },
      closed: (over) => {
        this.#sessions.delete(over);
        this.#onRoom();
      },
    });
    session.idleSince = this.#now();
    this.#sessions.add(session);
    if (this.#retired) session.retire();
    return session;
  }
}
