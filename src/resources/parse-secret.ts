import { SECRET_LABEL } from './metadata.ts';
import type { Identity } from './object-identity.ts';
import { isPlain, own } from './plain.ts';
import { type FieldPath, type Problem, problem } from './problem.ts';
import { invalidObject } from './read-spec.ts';
import { Redacted } from './redacted.ts';
import type { Parsed } from './resource.ts';
import { printable } from './schema-problems.ts';

/** As the API server bounds it: 1 MiB of values, and names as in ConfigMaps. */
const MAX_BYTES = 1_048_576;
const MAX_KEYS = 1024;
const KEY = /^[-._a-zA-Z0-9]{1,253}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A core Secret. No value, nor any part of one, gets into a problem (A180). `vouched`: from an API server, where whoever
 * owns it labels what plugins may use, and where one key may hold bytes that are no text (a keystore beside `tls.crt`).
 */
export function parseSecret(identity: Identity, vouched: boolean): Parsed {
  const problems: Problem[] = [...identity.problems];
  const data = new Map<string, Redacted>();
  const budget: Budget = { bytes: MAX_BYTES, binary: vouched ? 'LeftOut' : 'Invalid' };
  // In this order: as on an API server, stringData wins.
  readValues(identity, 'data', decodeBase64, data, budget, problems);
  readValues(identity, 'stringData', (text) => text, data, budget, problems);
  if (problems.length > 0) return invalidObject(identity, problems, { kind: 'Secret' });
  const { key, name, meta, object } = identity;
  const type = own(object, 'type');
  const labelled = !vouched || own(own(own(object, 'metadata'), 'labels'), SECRET_LABEL) === 'true';
  return {
    ok: true,
    value: { kind: 'Secret', key, name, meta, type: typeof type === 'string' ? type : 'Opaque', labelled, data },
  };
}

interface Budget {
  /** What is left of it. */
  bytes: number;
  /** What becomes of values that aren't UTF-8 text. */
  readonly binary: 'LeftOut' | 'Invalid';
}

function readValues(
  identity: Identity,
  field: 'data' | 'stringData',
  decode: (text: string) => string | undefined,
  into: Map<string, Redacted>,
  budget: Budget,
  problems: Problem[],
): void {
  const values = own(identity.object, field);
  if (values === undefined || values === null) return;
  if (!isPlain(values)) {
    problems.push(problem('Invalid', [field], 'must be an object with a field for each key'));
    return;
  }
  const keys = Object.keys(values);
  if (keys.length > MAX_KEYS) {
    problems.push(problem('Invalid', [field], `must have at most ${MAX_KEYS} keys`));
    return;
  }
  for (const key of keys) {
    const path: FieldPath = [field, printable(key)];
    const value = values[key];
    if (!KEY.test(key)) {
      problems.push(problem('Invalid', path, 'is no name of a key: A-Z, a-z, 0-9, -, _ and ., at most 253 characters'));
    } else if (typeof value !== 'string') {
      problems.push(problem('Invalid', path, 'must be text; put it in quotes'));
    } else {
      budget.bytes -= value.length;
      const text = budget.bytes < 0 ? undefined : decode(value);
      if (budget.bytes < 0) {
        problems.push(problem('Invalid', [field], 'is larger than 1 MiB; split the Secret'));
        return;
      }
      if (text !== undefined) into.set(key, new Redacted(text));
      else if (budget.binary === 'Invalid') problems.push(problem('Invalid', path, DATA_HINT));
    }
  }
}

const DATA_HINT =
  'must be base64 of UTF-8 text, with padding and without line breaks; or write it as text below stringData';

function decodeBase64(text: string): string | undefined {
  try {
    const bytes = atob(text);
    // RFC 4648 section 4, strictly: `atob` alone lets blanks, missing padding and stray last bits pass.
    return btoa(bytes) === text ? utf8.decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))) : undefined;
  } catch {
    return undefined;
  }
}
