import type { BodySink, BodySource, Trailers } from '../body.ts';

/** The connection under a response, as far as its body needs it. */
export interface BodyFlow {
  /** Whether the bytes at hand are this connection's alone, so that they can be handed on as they are. */
  readonly lends: boolean;
  /** Somebody still needs them: nothing is read into their place. */
  keep(): void;
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

  /**
   * What isn't lent lies in the shared buffer of all reads: a kept slice of that would show one user's bytes to another. What is
   * lent and was taken costs no memory at all, which for bodies of a megabyte is half of their price.
   */
  push(chunk: Buffer): void {
    if (this.#outcome !== 'open') return;
    const flow = this.#flow;
    const { lends } = flow;
    const bytes = lends ? chunk : Buffer.from(chunk);
    const sink = this.#sink;
    if (sink === undefined) {
      this.#early ??= [];
      this.#early.push(bytes);
      flow.pause();
    } else if (!sink.data(bytes)) {
      flow.pause();
    }
    if (lends && sink?.holdsNothing !== true) flow.keep();
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
