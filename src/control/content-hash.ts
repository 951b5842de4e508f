import { createHash } from 'node:crypto';
import { Redacted } from '../resources/redacted.ts';
import { PartedMap } from '../routing/parted-map.ts';

export interface ContentHash {
  /**
   * SHA-256, hex, without the secrets. This one is shown (metrics, debug): two replicas with the same table show the same,
   * and nobody can try guesses of a weak client secret against it (A180).
   */
  readonly shown: string;
  /** SHA-256, hex, secrets included. Decides whether anything changed; never leaves the control loop. */
  readonly whole: string;
}

/**
 * Content of plain data: objects, arrays, Maps, Sets, primitives, Redacted. Order of keys and of Map entries doesn't
 * count, a member that is undefined is as good as absent.
 * @throws TypeError for what isn't plain data (functions, class instances): its content couldn't be compared.
 */
export function contentHash(value: unknown): ContentHash {
  const secrets: string[] = [];
  const shown = sha256(write(value, secrets));
  return { shown, whole: secrets.length === 0 ? shown : sha256(shown + write(secrets, [])) };
}

/** The hash of a sequence, whose members come one by one and are told apart. */
export class RunningHash {
  readonly #shown = createHash('sha256');
  readonly #whole = createHash('sha256');
  #text = '';
  #secret = '';

  add({ shown, whole }: ContentHash): void {
    this.#text += shown;
    this.#secret += whole;
    if (this.#text.length > FLUSH) this.#flush();
  }

  addText(value: string): void {
    this.#text += text(value);
    this.#secret += text(value);
    if (this.#text.length > FLUSH) this.#flush();
  }

  end(): ContentHash {
    this.#flush();
    return { shown: this.#shown.digest('hex'), whole: this.#whole.digest('hex') };
  }

  #flush(): void {
    this.#shown.update(this.#text, 'utf16le');
    this.#whole.update(this.#secret, 'utf16le');
    this.#text = '';
    this.#secret = '';
  }
}

/** Characters that are gathered before they are hashed. */
const FLUSH = 16_384;

// UTF-16, for in UTF-8 all halves of surrogate pairs would be one character.
const sha256 = (text: string): string => createHash('sha256').update(text, 'utf16le').digest('hex');

/**
 * Text that is the same for equal content only: strings by their length, so that nothing has to be escaped. Half of the
 * time of a change goes here, so that it is written for speed.
 */
function write(value: unknown, secrets: string[]): string {
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'number':
      return `n${value};`;
    case 'boolean':
      return value ? 'T' : 'F';
    case 'undefined':
      return 'U';
    case 'object':
      return value === null ? 'N' : writeObject(value, secrets);
    default:
      throw new TypeError(`a ${typeof value} is not plain data`);
  }
}

const text = (value: string): string => `s${value.length}:${value}`;

function writeObject(value: object, secrets: string[]): string {
  if (Array.isArray(value)) return writeList(value, secrets);
  if (isRecord(value)) return writeRecord(value, secrets);
  if (value instanceof Map || value instanceof PartedMap) return writeMap(value, secrets);
  if (value instanceof Set)
    return `S${[...value]
      .map((member) => write(member, secrets))
      .sort()
      .join('')}]`;
  if (value instanceof Redacted) {
    secrets.push(value.reveal());
    return 'R';
  }
  throw new TypeError(`an instance of ${value.constructor.name} is not plain data`);
}

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function writeList(value: readonly unknown[], secrets: string[]): string {
  let out = '[';
  for (const member of value) out += write(member, secrets);
  return `${out}]`;
}

// Keys are in order before any value is written, so that secrets are collected in the order of the text.
function writeRecord(value: Readonly<Record<string, unknown>>, secrets: string[]): string {
  let out = '{';
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) out += text(key) + write(member, secrets);
  }
  return `${out}}`;
}

function writeMap(value: ReadonlyMap<unknown, unknown>, secrets: string[]): string {
  const members = [...value].map(([key, member]) => ({ key: write(key, secrets), member }));
  members.sort((a, b) => (a.key < b.key ? -1 : 1));
  let out = 'M';
  for (const { key, member } of members) out += key + write(member, secrets);
  return `${out}}`;
}
