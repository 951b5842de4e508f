/** A proxy that is measured: everything it spends is that of one process and its children, on the core of the proxies. */
export interface Contender {
  readonly name: string;
  /** Where the load goes. */
  readonly url: string;
  readonly pid: number;
  /** Besides those of a browser, `Name: value`. */
  readonly headers: readonly string[];
  /** Connections that it may break in a run without making its figures worthless; none where undefined. */
  readonly breaks?: number;
  stop(): Promise<void>;
}

export const PROXY_CORE = '0';
/** Of the load, the upstream, and of whatever else is needed. */
export const LOAD_CORE = '1';

/** What Chromium sends with a navigation. */
export const BROWSER = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.9',
  'Accept-Encoding: gzip, deflate',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: same-origin',
  'Sec-Fetch-User: ?1',
  'Upgrade-Insecure-Requests: 1',
];
