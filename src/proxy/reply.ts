import type { HeaderLine, Notice } from '../routing/decision.ts';
import type { Exchange } from './exchange.ts';
import { isFieldValue } from './gate.ts';
import { grpcHeaders, isGrpc } from './grpc.ts';
import { NOTICE_POLICY, renderNotice } from './pages/notice-page.ts';
import { wantsJson } from './pages/wants-json.ts';
import type { Outcome, RequestRecord } from './record.ts';

/** An answer of our own, or of a plugin. */
export interface Reply {
  readonly status: number;
  readonly outcome: Outcome;
  readonly reason: string;
  readonly notice: Notice | undefined;
  /** Plain text instead of a notice. */
  readonly text: string | undefined;
  readonly headers: readonly HeaderLine[];
  /** Whole Set-Cookie values. */
  readonly cookies: readonly string[];
  /** The last answer of its connection. */
  readonly close: boolean;
}

interface Details {
  readonly text?: string;
  readonly headers?: readonly HeaderLine[];
  readonly cookies?: readonly string[];
  readonly close?: boolean;
}

export const reply = (
  status: number,
  outcome: Outcome,
  reason: string,
  notice: Notice | undefined,
  details: Details = {},
): Reply => ({
  status,
  outcome,
  reason,
  notice,
  text: details.text,
  headers: details.headers ?? [],
  cookies: details.cookies ?? [],
  close: details.close ?? false,
});

/**
 * Writes a reply: never cached (A105), never sniffed, with the request id. To gRPC over HTTP/2 an error is a gRPC status; the
 * record has what it would be otherwise. Throws, before a byte was sent, where a header
 * can't be sent (T18). `cors`: names and values in turn.
 */
export function writeReply(
  exchange: Exchange,
  answer: Reply,
  record: RequestRecord,
  header: (name: string) => string | undefined,
  cors: readonly string[] = [],
): void {
  record.outcome = answer.outcome;
  record.reason = answer.reason;
  record.status = answer.status;
  const { notice, status } = answer;
  const lines: string[] = [...cors];
  for (const { name, value } of answer.headers) {
    if (!isFieldValue(value)) throw new Error(`the value of ${name} can't be sent as a header`);
    lines.push(name, value);
  }
  for (const cookie of answer.cookies) {
    if (!isFieldValue(cookie)) throw new Error("a cookie can't be sent as a header");
    lines.push('Set-Cookie', cookie);
  }
  if (!answer.headers.some(({ name }) => /^cache-control$/i.test(name))) lines.push('Cache-Control', 'no-store');
  lines.push('X-Content-Type-Options', 'nosniff', 'Referrer-Policy', 'no-referrer', 'X-Request-Id', record.requestId);
  if (exchange.head.version === '2' && status >= 400 && isGrpc(header('content-type'))) {
    lines.push(...grpcHeaders(status, `${status} ${answer.reason}`));
    exchange.answer(200, lines, undefined, answer.close);
    return;
  }
  let body = answer.text;
  if (body !== undefined) lines.push('Content-Type', 'text/plain');
  if (notice !== undefined) {
    const page = renderNotice(notice, { requestId: record.requestId, status, wantsJson: wantsJson(header) });
    lines.push('Content-Type', page.contentType, 'Vary', 'Accept, Sec-Fetch-Mode');
    lines.push('Content-Security-Policy', NOTICE_POLICY);
    body = page.body;
  }
  exchange.answer(status, lines, body, answer.close);
}
