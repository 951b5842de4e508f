import type { BodySink, BodySource, Trailers } from '../body.ts';

/** The connection under a response, as far as its body needs it. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
  /** Nobody wants the rest. */
  cancelled(): void;
}

/** The body of a response on its way from the parser to whoever reads it; holds back the connection when it must. */
export class ResponseBody implements BodySource {
  readonly #flow: BodyFlow;
  readonly trails: boolean;
  #trailers: Trailers | undefined;
  #sink: BodySink | undefined;
  /** What came before anybody asked for it: at most one read, for the connection is paused then. */
  #early: Buffer[] | undefined;
  #outcome: 'open' | 'ended' | 'aborted' | 'told' = 'open';

  /** `trails`: trailers may come after it. */
  constructor(flow: BodyFlow, trails = false) {
    this.#flow = flow;
    this.trails = trails;
  }

  /** `chunk` lies in the shared buffer of all reads: a kept slice of it would show one user's bytes to another. */
  push(chunk: Buffer): void {
    if (this.#outcome !== 'open') return;
    const copy = Buffer.from(chunk);
    if (this.#sink === undefined) {
      this.#early ??= [];
      this.#early.push(copy);
      this.#flow.pause();
    } else if (!this.#sink.data(copy)) {
      this.#flow.pause();
    }
  }

  close(outcome: 'ended' | 'aborted', trailers?: Trailers): void {
    if (this.#outcome !== 'open') return;
    this.#trailers = trailers;
    this.#outcome = outcome;
    this.#tell();
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    const early = this.#early;
    this.#early = undefined;
    let more = true;
    for (const chunk of early ?? []) more = sink.data(chunk);
    if (this.#outcome !== 'open') this.#tell();
    else if (more && early !== undefined) this.#flow.resume();
  }

  resume(): void {
    if (this.#outcome === 'open') this.#flow.resume();
  }

  cancel(): void {
    if (this.#outcome === 'told') return;
    const open = this.#outcome === 'open';
    this.#outcome = 'told';
    this.#early = undefined;
    if (open) this.#flow.cancelled();
  }

  #tell(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    const outcome = this.#outcome;
    this.#outcome = 'told';
    if (outcome === 'ended') sink.end(this.#trailers);
    else if (outcome === 'aborted') sink.abort();
  }
}
