/** What is logged of an error: never its own properties, where libraries keep bodies, headers and parameters (A180). */
export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorFields;
}

/** @param depth how many causes are followed; a chain of causes can be a circle */
export function errorFields(error: unknown, depth = 4): ErrorFields {
  if (!(error instanceof Error)) return { type: typeof error, message: withoutQueries(safeString(error)) };
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    message: withoutQueries(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: frames(error.stack) }),
    ...(error.cause === undefined || depth === 0 ? {} : { cause: errorFields(error.cause, depth - 1) }),
  };
}

const safeString = (value: unknown): string => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return `a thrown ${typeof value}`;
};

/** Only the lines that say where: the first ones repeat the message. */
const frames = (stack: string): string =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .map((line) => line.trim())
    .join('\n');

/** Codes, states and tokens travel in queries and fragments. */
const withoutQueries = (text: string): string =>
  text.slice(0, 2000).replace(/([a-z][a-z0-9+.-]*:\/\/[^\s?#"']*)[?#][^\s"']*/gi, '$1?[redacted]');
