import { type Logger, pino } from 'pino';
import type { PluginLog } from '../plugins/contract.ts';
import type { RequestRecord } from '../proxy/record.ts';
import type { ObjectKey } from '../resources/keys.ts';
import { errorFields } from './log/error-fields.ts';
import { textForm } from './log/text-form.ts';

export interface LogOptions {
  /** `json`: one object a line. `text`: for people at a terminal. */
  readonly format: 'json' | 'text';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Text form only: whether the output is a terminal that takes colours. */
  readonly colour: boolean;
  readonly output: LogOutput;
}

export interface LogOutput {
  /** Whole lines. */
  write(text: string): unknown;
}

/**
 * The log. Secrets are kept out by what it is given: a request comes as a RequestRecord, which has no query, cookie,
 * header or token; values of secret type print as `[redacted]`; of an error only kind, message and place are taken (A180).
 * Nothing here throws: a line that can't be made is replaced by one that says so (F55).
 */
export interface Log {
  request(record: RequestRecord): void;
  /** Log of a part of the process: `main`, `control`, `files`. */
  part(name: string): PluginLog;
  /** Log of one plugin: part `plugin`, with its name in every line. */
  plugin(key: ObjectKey): PluginLog;
}

export function createLog(options: LogOptions): Log {
  const { output } = options;
  const logger = pino(
    {
      base: null,
      level: options.level,
      timestamp: isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => errorFields(error) },
    },
    { write: options.format === 'json' ? (line: string) => output.write(line) : writeText },
  );
  const writes = logger.isLevelEnabled('info');

  function writeText(line: string): void {
    output.write(textForm(line, options));
  }

  /** A line that can't be made, or an output that throws, is no reason to fail a request. */
  const contained = (write: () => void): void => {
    try {
      write();
    } catch (error) {
      try {
        const message = error instanceof Error ? error.name : typeof error;
        output.write(
          `${JSON.stringify({ level: 'error', part: 'log', msg: 'a log line could not be made', err: message })}\n`,
        );
      } catch {}
    }
  };

  const partLog = (child: Logger): PluginLog => ({
    info(fields, message) {
      contained(() => {
        child.info(fields, message);
      });
    },
    warn(fields, message) {
      contained(() => {
        child.warn(fields, message);
      });
    },
    error(fields, message) {
      contained(() => {
        child.error(fields, message);
      });
    },
  });

  return {
    request(record) {
      if (!writes) return;
      contained(() => {
        const line = requestLine(record);
        if (options.format === 'json') output.write(line);
        else writeText(line);
      });
    },
    part: (name) => partLog(logger.child({ part: name })),
    plugin: (key) => partLog(logger.child({ part: 'plugin', plugin: key.slice(key.indexOf('/') + 1) })),
  };
}

/** RFC 3339, made once a millisecond: many lines of a busy gateway share theirs. */
function isoTime(): string {
  const now = Date.now();
  if (now !== lastTime) {
    lastTime = now;
    lastText = `,"time":"${new Date(now).toISOString()}"`;
  }
  return lastText;
}
let lastTime = -1;
let lastText = '';

/**
 * The line of a request, in the form of all others. Made by hand, because there is one for every request: 0.9 µs instead
 * of pino's 3. Each field by name: one that is added to the record isn't logged before somebody thought of it.
 */
function requestLine(record: RequestRecord): string {
  let line = `{"level":"info"${isoTime()},"part":"request","request_id":${text(record.requestId)},"client":${text(record.client)},"method":${text(record.method)},"host":${text(record.host)},"path":${text(record.path)},"status":${record.status},"request_bytes":${record.requestBytes},"response_bytes":${record.responseBytes},"duration_ms":${tenths(record.durationMs)}`;
  if (record.upstreamMs !== undefined) line += `,"upstream_ms":${tenths(record.upstreamMs)}`;
  if (record.route !== undefined) line += `,"route":${text(record.route)}`;
  if (record.service !== undefined) line += `,"service":${text(record.service)}`;
  if (record.plugin !== undefined) line += `,"plugin":${text(record.plugin)}`;
  line += `,"outcome":"${record.outcome}"`;
  if (record.reason !== undefined) line += `,"reason":${text(record.reason)}`;
  if (record.cause !== undefined) line += `,"cause":${text(record.cause)}`;
  if (record.tunnel !== undefined) line += `,"tunnel_end":"${record.tunnel}"`;
  if (record.rule !== undefined) line += `,"rule":${text(record.rule)}`;
  return `${line},"msg":"request"}\n`;
}

const text = (value: string): string => JSON.stringify(value);
const tenths = (milliseconds: number): number => Math.round(milliseconds * 10) / 10;
