import type { BodySink, BodySource } from './body.ts';

/**
 * The body of a request whose length nobody announced, up to the most that its Route takes. What goes beyond breaks it off
 * for the upstream, at once and in mid-stream, and is never sent on.
 */
export class LimitedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #most: number;
  #sink: BodySink | undefined;
  #bytes = 0;
  /** More came than there may be. */
  exceeded = false;

  constructor(source: BodySource, most: number) {
    this.#source = source;
    this.#most = most;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#source.start(this);
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(): void {
    this.#sink = undefined;
    this.#source.cancel();
  }

  data(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#most) return this.#sink?.data(chunk) ?? true;
    this.exceeded = true;
    const sink = this.#sink;
    this.cancel();
    sink?.abort();
    return false;
  }

  end(): void {
    this.#sink?.end();
  }

  abort(): void {
    this.#sink?.abort();
  }
}
