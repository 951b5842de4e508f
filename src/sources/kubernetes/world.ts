/** What the parts that write to the API server are given of the world. */

export interface Timers {
  /** Runs `run` once after `ms` milliseconds; the answer cancels that. */
  after(ms: number, run: () => void): () => void;
}

export interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

const MINUTE = 60_000;
/** Subjects that are remembered; what is beyond is said again sooner. */
const MOST = 64;

/** Whether something is to be said again: once in a minute about each subject, however often it happens (F17). */
export function onceAMinute(now: () => number): (subject: string) => boolean {
  const said = new Map<string, number>();
  return (subject) => {
    const last = said.get(subject);
    if (last !== undefined && now() - last < MINUTE) return false;
    said.delete(subject);
    said.set(subject, now());
    const [oldest] = said.keys();
    if (said.size > MOST && oldest !== undefined) said.delete(oldest);
    return true;
  };
}

/** `403 services.postern.dev is forbidden: …` of an answer, for the log. */
export const answerText = (status: number, body: unknown): string => {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : undefined;
  return typeof message === 'string' ? `${status} ${message.slice(0, 500)}` : String(status);
};
