import type { Hostname } from '../resources/hostname.ts';
import type { RoutePath } from '../resources/path.ts';
import type { RequestView } from '../routing/decision.ts';
import type { CheckedHead } from './gate.ts';

interface ViewTarget {
  readonly host: Hostname;
  readonly path: RoutePath;
  readonly query: string;
}

/** A request as deciding sees it, over the head as it came: headers are looked for only when somebody asks. */
export class HeadView implements RequestView {
  readonly method: string;
  readonly host: Hostname;
  readonly path: RoutePath;
  readonly query: string;
  readonly upgrade: string | undefined;
  readonly #head: CheckedHead;

  constructor(head: CheckedHead, target: ViewTarget) {
    this.#head = head;
    this.method = head.method;
    this.host = target.host;
    this.path = target.path;
    this.query = target.query;
    this.upgrade = head.upgrade;
  }

  header(name: string): string | undefined {
    return headerOf(this.#head, name);
  }
}

/** Value of a header by its lower-case name; several lines joined as RFC 9110 section 5.3 has it, Cookie as RFC 6265 has it. */
export function headerOf(head: CheckedHead | undefined, name: string): string | undefined {
  if (head === undefined) return undefined;
  const { infos, headers } = head;
  let value: string | undefined;
  for (let i = 0; i < infos.length; i++) {
    if (infos[i]?.name !== name) continue;
    const line = headers[2 * i + 1] ?? '';
    value = value === undefined ? line : value + (name === 'cookie' ? '; ' : ', ') + line;
  }
  return value;
}
