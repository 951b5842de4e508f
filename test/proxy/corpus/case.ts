/**
 * What becomes of a request that is followed by a sound one on the same connection.
 * - `Refused`: no upstream hears of either.
 * - `Passed`: both are passed on, each once.
 * - `Last`: it is passed on, and nothing after it on this connection is looked at.
 * - `Cut`: it may have been begun when its body turned out to be none, and it never ends; nothing after it is looked at.
 */
export type RequestOutcome = 'Refused' | 'Passed' | 'Last' | 'Cut';

export interface RequestCase {
  /** Begins with the row of the list of attacks. */
  readonly name: string;
  readonly outcome: RequestOutcome;
  /** Latin1. */
  readonly bytes: string;
  /** Paths of the request itself and of the one behind it. */
  readonly path: string;
  readonly after: string;
  /** Where it passes: what its body is. */
  readonly body: string;
}

/** Makes one case's bytes; `smuggled` is a request that nobody may ever see. */
export type Draft = (at: { readonly path: string; readonly smuggled: string }) => string;

/** The path of whatever would be a request if somebody read the bytes otherwise. */
export const SMUGGLED = '/smuggled';

/** Collects cases, each under paths of its own, so that whoever sees one can say of which case it is. */
export class Corpus {
  readonly cases: RequestCase[] = [];

  add(name: string, outcome: RequestOutcome, draft: Draft, body: Draft = () => ''): void {
    const index = this.cases.length;
    const path = `/q/${index}`;
    const after = `/after/${index}`;
    const at = { path, smuggled: `GET ${SMUGGLED}/${index} HTTP/1.1\r\nHost: app.example\r\n\r\n` };
    const bytes = `${draft(at)}GET ${after} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n`;
    this.cases.push({ name, outcome, bytes, path, after, body: body(at) });
  }
}

export const HOST = 'Host: app.example\r\n';
export const post = (path: string, headers: string, body = ''): string =>
  `POST ${path} HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
export const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\n${HOST}${headers}\r\n`;
export const chunk = (data: string): string => `${data.length.toString(16)}\r\n${data}\r\n`;
export const END = '0\r\n\r\n';
export const show = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
