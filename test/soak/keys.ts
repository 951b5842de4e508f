import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';

/** The `--keys-file` of all replicas. Keys are only added: to take one out ends the sessions that it sealed. */
export class KeysFile {
  readonly path: string;
  readonly #lines: string[] = [];

  constructor(path: string) {
    this.path = path;
    this.add();
  }

  get count(): number {
    return this.#lines.length;
  }

  add(): void {
    this.#lines.unshift(`k${this.#lines.length + 1} ${randomBytes(32).toString('base64')} ${new Date().toISOString()}`);
    this.#write(this.#lines);
  }

  /** With a line that is no key: those from before have to stay in use. */
  break(): void {
    this.#write([...this.#lines, 'k99 c2hvcnQ=']);
  }

  mend(): void {
    this.#write(this.#lines);
  }

  #write(lines: readonly string[]): void {
    writeFileSync(`${this.path}.new`, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
  }
}
