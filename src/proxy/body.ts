/** Takes a body as it comes. Exactly one of `end` and `abort` is called, once, and nothing after it. */
export interface BodySink {
  /** Whether nothing is kept any more of the chunk that came last; undefined: it can't be told. */
  readonly holdsNothing?: boolean;
  /** The sink may keep the chunk. False: no more until it calls `resume` of the source. */
  data(chunk: Buffer): boolean;
  /**
   * The body is complete, as its framing says. `trailers`: what the sender said after it, of a response only; who has no
   * way to pass them on leaves them out.
   */
  end(trailers?: Trailers): void;
  /** The body broke off: whoever reads it must see that it is not whole (A070, T15). */
  abort(): void;
}

/** Names, in lower case, and values in turn: checked, and nothing among them is of a connection, of framing, or ours to say. */
export type Trailers = readonly string[];

/** A body that somebody else sends. Either started once or cancelled; can be cancelled at any time, any number of times. */
export interface BodySource {
  /** It may have trailers at its end. */
  readonly trails?: boolean;
  start(sink: BodySink): void;
  resume(): void;
  /** Nobody wants the rest; the sink hears nothing more. */
  cancel(): void;
}

/** How long a request body is: derived from what was parsed, so that framing is made, never copied (invariant 4). */
export type Framing =
  | { readonly kind: 'None' }
  | { readonly kind: 'Length'; readonly bytes: number }
  | { readonly kind: 'Chunked' };

export const NO_BODY: Framing = { kind: 'None' };
export const CHUNKED: Framing = { kind: 'Chunked' };
