import type { Readable } from 'node:stream';
import type { Tally } from './tally.ts';

/** Reads a replica's log as it comes, keeps the lines that may never be, and counts the other warnings by their words. */
export function watchLog(stream: Readable, name: string, tally: Tally): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) look(line, name, tally);
  });
}

/** Nearly every line is a request's: nothing is parsed that doesn't look as if it said more. */
function look(line: string, name: string, tally: Tally): void {
  if (line.includes('"outcome":"internal_error"')) tally.unexpected(`log of ${name}: ${line}`);
  else if (line.startsWith('{"level":"info"') || line === '') return;
  else if (line.startsWith('{"level":"warn"')) tally.count('log warnings', messageOf(line));
  else if (line.startsWith('{"level":"error"') && EXPECTED.test(line)) tally.count('log errors', messageOf(line));
  else tally.unexpected(`log of ${name}: ${line}`);
}

/** What is broken on purpose: a file that is no YAML, a Route to a Service that isn't there, a key that is none. */
const EXPECTED = /"part":"(files|keys)"|"reason":"BackendNotFound"/;

/** The words without what differs from one run to another. */
function messageOf(line: string): string {
  const found = /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line;
  return found
    .replace(/\/\S*\//g, '')
    .replace(/[0-9]+/g, 'N')
    .slice(0, 90);
}
