import { type Checked, invalid, type Problem, problem, valid } from '../resources/problem.ts';
import { Redacted } from '../resources/redacted.ts';
import { KEY_BYTES, type KeyEntry, type KeyList } from './key.ts';

const MAX_KEYS = 16;
const MAX_TEXT = 64 * 1024;
const ID = /^[A-Za-z0-9]{1,16}$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$/;
const FORM = 'write each key as: id, 32 bytes in base64, and the time it was added, as in 2026-01-31T12:00:00Z';

/**
 * The text form of a key list: one key per line, `id base64 added`, blank lines and lines that begin with `#` left out.
 * `added` is RFC 3339. Problems name the line and never what is written in it.
 */
export function parseKeyList(text: string): Checked<KeyList> {
  if (text.length > MAX_TEXT)
    return invalid(problem('SecretInvalid', [], `The key list is longer than 64 KiB; ${FORM}.`));
  const keys: KeyEntry[] = [];
  const problems: Problem[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const entry = parseLine(trimmed);
    if (typeof entry === 'string') problems.push(problem('SecretInvalid', [], `Line ${index + 1}: ${entry}`));
    else if (keys.some((key) => key.id === entry.id))
      problems.push(
        problem('SecretInvalid', [], `Line ${index + 1}: its id is that of another key; give each its own.`),
      );
    else keys.push(entry);
  }
  if (keys.length > MAX_KEYS)
    problems.push(problem('SecretInvalid', [], `There are ${keys.length} keys; keep at most ${MAX_KEYS}.`));
  if (problems.length > 0) return invalid(...problems);
  const [first, ...rest] = keys;
  return first === undefined
    ? invalid(problem('SecretInvalid', [], `The key list holds no key; ${FORM}.`))
    : valid([first, ...rest]);
}

function parseLine(line: string): KeyEntry | string {
  const [id, secret, added, ...rest] = line.split(/\s+/);
  if (id === undefined || secret === undefined || added === undefined || rest.length > 0)
    return `it doesn't have three parts; ${FORM}.`;
  if (!ID.test(id)) return 'the id has to be 1 to 16 letters and digits.';
  const bytes = Buffer.from(secret, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== secret)
    return `the key has to be ${KEY_BYTES} random bytes in base64 (openssl rand -base64 ${KEY_BYTES}).`;
  if (bytes.every((byte) => byte === bytes[0])) return 'the key is one byte repeated; make a random one.';
  const time = TIME.test(added) ? Date.parse(added) : Number.NaN;
  if (Number.isNaN(time)) return 'the time it was added has to be RFC 3339, as in 2026-01-31T12:00:00Z.';
  return { id, secret: new Redacted(secret), added: time };
}

/** The inverse of `parseKeyList`. Reveals the keys: its result goes to the store of the keys and nowhere else. */
export function formatKeyList(keys: KeyList): string {
  return keys.map((key) => `${key.id} ${key.secret.reveal()} ${new Date(key.added).toISOString()}\n`).join('');
}

/** A fresh key, added now. `random` gives that many bytes of cryptographic quality. */
export function generateKey(now: number, random: (bytes: number) => Buffer): KeyEntry {
  return { id: random(4).toString('hex'), secret: new Redacted(random(KEY_BYTES).toString('base64')), added: now };
}
