/** A log line for people at a terminal, made from the JSON form, so that both always say the same. */
export interface TextOptions {
  /** Only on a terminal. */
  readonly colour: boolean;
}

/** One line of JSON to one line of text, each with its line end. What isn't such a line comes back escaped. */
export function textForm(json: string, options: TextOptions): string {
  const line = parse(json);
  if (line === undefined) return `${printable(json.trimEnd())}\n`;
  const { time, level, part, msg, err, ...fields } = line;
  const paint = options.colour ? (PAINT[string(level)] ?? plain) : plain;
  const head = `${clock(time)} ${paint(string(level).toUpperCase().padEnd(5))} ${string(part).padEnd(8)}`;
  const text = part === 'request' ? requestText(fields) : printable(string(msg));
  const rest = Object.entries(part === 'request' ? requestRest(fields) : fields)
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => `${printable(name)}=${fieldText(value)}`);
  return `${[`${head} ${text}`, ...rest].join('  ')}${errorText(err)}\n`;
}

type Line = Readonly<Record<string, unknown>>;

function parse(json: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** `GET     200 shop.example.com/orders  12 ms` */
function requestText({ method, status, host, path, duration_ms }: Line): string {
  const milliseconds = typeof duration_ms === 'number' ? `${Math.round(duration_ms)} ms` : '';
  return `${printable(string(method)).padEnd(7)} ${printable(string(status))} ${printable(`${string(host)}${string(path)}`)}  ${milliseconds}`;
}

/** What a person wants to see of a request besides its first words; the rest is in the JSON form. */
function requestRest({ outcome, reason, rule, route, request_id }: Line): Line {
  return outcome === 'forwarded' ? { route, rule } : { outcome, reason, rule, route, request_id };
}

function errorText(err: unknown): string {
  if (typeof err !== 'object' || err === null) return '';
  const { type, message, stack, cause }: Line = { ...err };
  const where = typeof stack === 'string' ? stack.split('\n').map((frame) => `\n      ${printable(frame)}`) : [];
  return `\n    ${printable(string(type))}: ${printable(string(message))}${where.join('')}${errorText(cause)}`;
}

/**
 * Control characters as `\n`, `\x1b`, and those that reorder or hide text as `\u202e`: what a client sends must not move
 * the cursor, start a line of its own, or look like another text (A179).
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (c) => ESCAPES[c] ?? escaped(c.charCodeAt(0)));
}

// Controls (C0, DEL, C1), line and paragraph separator, zero-width and bidirectional formatting, byte order mark, and
// halves of surrogate pairs.
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const escaped = (code: number): string =>
  code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;

function fieldText(value: unknown): string {
  const text = printable(typeof value === 'string' ? value : JSON.stringify(value));
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text).replaceAll('\\\\', '\\');
}

function string(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

function clock(time: unknown): string {
  const date = new Date(string(time));
  if (Number.isNaN(date.getTime())) return '--:--:--';
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}

const plain = (text: string): string => text;
const sgr = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const PAINT: Readonly<Record<string, (text: string) => string>> = {
  debug: sgr(2),
  info: sgr(36),
  warn: sgr(33),
  error: sgr(31),
  fatal: sgr(31),
};
