import { createHash } from 'node:crypto';
import { Redacted } from '../resources/redacted.ts';

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
  const text = canonical(value, secrets);
  const shown = createHash('sha256').update(text).digest('hex');
  if (secrets.length === 0) return { shown, whole: shown };
  return { shown, whole: createHash('sha256').update(shown).update(JSON.stringify(secrets)).digest('hex') };
}

function canonical(value: unknown, secrets: string[]): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : canonicalObject(value, secrets);
    default:
      throw new TypeError(`a ${typeof value} is not plain data`);
  }
}

function canonicalObject(value: object, secrets: string[]): string {
  if (Array.isArray(value)) return `[${value.map((member) => canonical(member, secrets)).join()}]`;
  if (value instanceof Redacted) {
    secrets.push(value.reveal());
    return '<redacted>';
  }
  if (value instanceof Map) return `Map{${sorted(value, secrets)}}`;
  if (value instanceof Set) return `Set{${[...value].map((member) => canonical(member, secrets)).sort()}}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`an instance of ${value.constructor.name} is not plain data`);
  }
  return `{${sorted(Object.entries(value), secrets)}}`;
}

function sorted(entries: Iterable<readonly [unknown, unknown]>, secrets: string[]): string {
  const members: [string, unknown][] = [];
  for (const [key, member] of entries) {
    if (member !== undefined) members.push([canonical(key, secrets), member]);
  }
  // Keys are sorted before values are written, so that secrets are collected in the order of the text.
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return members.map(([key, member]) => `${key}:${canonical(member, secrets)}`).join();
}
