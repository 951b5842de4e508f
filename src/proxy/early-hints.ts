import { isFieldValue } from './gate.ts';

/**
 * What browsers use of a 103 (RFC 8297). Nothing else goes on: an interim answer has no caching and no cookies of its own,
 * and what isn't in it can't contradict the final one.
 */
const PASSED: ReadonlySet<string> = new Set(['link', 'content-security-policy', 'referrer-policy']);

/** Longer hints are left out: they help nobody. */
const MOST_BYTES = 8192;

/** The lines of an early hint that go on to a client, names and values in turn; undefined where there is nothing to say. */
export function hintLines(status: number, headers: readonly string[]): readonly string[] | undefined {
  if (status !== 103) return undefined;
  const lines: string[] = [];
  let bytes = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1] ?? '';
    if (!PASSED.has(name.toLowerCase()) || !isFieldValue(value)) continue;
    lines.push(name, value);
    bytes += name.length + value.length + 4;
  }
  return lines.length === 0 || bytes > MOST_BYTES ? undefined : lines;
}

/** A whole interim answer of HTTP/1.1. */
export function earlyHints(status: number, headers: readonly string[]): string | undefined {
  const lines = hintLines(status, headers);
  if (lines === undefined) return undefined;
  let text = 'HTTP/1.1 103 Early Hints\r\n';
  for (let i = 0; i < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`;
  return `${text}\r\n`;
}
