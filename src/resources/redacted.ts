/**
 * A secret that can't be printed by accident: JSON, template strings, `util.inspect` and pino all show `[redacted]`.
 * Reading it takes the word `reveal`, so every place that does can be found with grep (A180).
 */
export class Redacted {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toJSON(): string {
    return '[redacted]';
  }

  toString(): string {
    return '[redacted]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[redacted]';
  }
}
