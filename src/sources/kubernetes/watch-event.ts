import { isPlain, own, type Plain } from '../../resources/plain.ts';

/** One line of a watch. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly item: Item }
  /** Nothing happened up to this version (KEP-956). */
  | { readonly type: 'BOOKMARK'; readonly version: string }
  /** A Status in the stream; `code` 410: the version is too old. */
  | { readonly type: 'ERROR'; readonly code: number; readonly message: string }
  /** No event: what reads it can't know what it missed. */
  | { readonly type: 'Garbage' };

export interface Item {
  /** `namespace/name`. */
  readonly name: string;
  readonly version: string;
  readonly object: Plain;
}

const GARBAGE: WatchEvent = { type: 'Garbage' };

export function readEvent(line: string): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return GARBAGE;
  }
  const type = own(event, 'type');
  const object = own(event, 'object');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const item = readItem(object);
      return item === undefined ? GARBAGE : { type, item };
    }
    case 'BOOKMARK': {
      const version = own(own(object, 'metadata'), 'resourceVersion');
      return isVersion(version) ? { type, version } : GARBAGE;
    }
    case 'ERROR': {
      const code = own(object, 'code');
      return { type, code: typeof code === 'number' ? code : 0, message: messageOf(object) };
    }
    default:
      return GARBAGE;
  }
}

export interface Page {
  readonly items: readonly Item[];
  readonly version: string;
  /** Of the next page. */
  readonly next: string | undefined;
}

/** Undefined where it is no list, or one of its items can't be told from the others. */
export function readPage(body: unknown): Page | undefined {
  const metadata = own(body, 'metadata');
  const version = own(metadata, 'resourceVersion');
  const next = own(metadata, 'continue');
  // An empty list of core kinds has `null` here.
  const given = own(body, 'items') ?? [];
  if (!isVersion(version) || !Array.isArray(given) || !isPlain(body)) return undefined;
  if (!String(own(body, 'kind')).endsWith('List')) return undefined;
  const items: Item[] = [];
  for (const one of given) {
    const item = readItem(one);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return { items, version, next: typeof next === 'string' && next !== '' ? next : undefined };
}

function readItem(object: unknown): Item | undefined {
  const metadata = own(object, 'metadata');
  const [namespace, name, version] = ['namespace', 'name', 'resourceVersion'].map((field) => own(metadata, field));
  if (!isPlain(object) || typeof namespace !== 'string' || typeof name !== 'string' || !isVersion(version))
    return undefined;
  // Flat, for it is held as long as the object is.
  return { name: [namespace, name].join('/'), version, object };
}

const isVersion = (value: unknown): value is string => typeof value === 'string' && value !== '' && value !== '0';

const LONGEST_MESSAGE = 500;

/** `message` of a Status. */
export function messageOf(status: unknown): string {
  const message = own(status, 'message');
  return typeof message === 'string' ? message.slice(0, LONGEST_MESSAGE) : '';
}
