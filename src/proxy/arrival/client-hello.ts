import { canonicalHost, type Hostname } from '../../resources/hostname.ts';

/** TLS records hold at most this much (RFC 8446 section 5.1); a hello that needs two is rare, and isn't looked into. */
const MAX_RECORD_BYTES = 16 * 1024;
const RECORD_HEAD_BYTES = 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const RANDOM_BYTES = 34;

/**
 * The name that a client asks for in its hello (RFC 6066 section 3), from the first bytes of a connection. `More`: it isn't
 * there yet. `None`: there is none, or it can't be read; OpenSSL has the last word on what is no hello.
 */
export function serverNameIn(bytes: Buffer): Hostname | 'None' | 'More' {
  if (bytes.length < RECORD_HEAD_BYTES) return bytes.length > 0 && bytes[0] !== HANDSHAKE ? 'None' : 'More';
  const size = bytes.readUInt16BE(3);
  if (bytes[0] !== HANDSHAKE || size > MAX_RECORD_BYTES) return 'None';
  if (bytes.length < RECORD_HEAD_BYTES + size) return 'More';
  const name = nameInHello(new Cursor(bytes.subarray(RECORD_HEAD_BYTES, RECORD_HEAD_BYTES + size)));
  return (name === undefined ? undefined : canonicalHost(name)) ?? 'None';
}

function nameInHello(record: Cursor): string | undefined {
  const type = record.number(1);
  const hello = record.vector(3);
  if (type !== CLIENT_HELLO || hello === undefined) return undefined;
  // Version and random; then session id, cipher suites and compression methods.
  if (hello.skip(RANDOM_BYTES) === undefined) return undefined;
  for (const size of [1, 2, 1] as const) if (hello.vector(size) === undefined) return undefined;
  const extensions = hello.vector(2);
  while (extensions !== undefined && extensions.left > 0) {
    const extension = extensions.number(2);
    const data = extensions.vector(2);
    if (data === undefined) return undefined;
    if (extension === SERVER_NAME) return nameInList(data.vector(2));
  }
  return undefined;
}

function nameInList(list: Cursor | undefined): string | undefined {
  const type = list?.number(1);
  const name = list?.vector(2);
  return type === HOST_NAME && list?.left === 0 ? name?.text() : undefined;
}

/** Walks over bytes; undefined where there are too few. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  skip(length: number): Buffer | undefined {
    if (this.left < length) return undefined;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(size: 1 | 2 | 3): number | undefined {
    return this.skip(size)?.readUIntBE(0, size);
  }

  /** A length of `size` bytes, and that many bytes. */
  vector(size: 1 | 2 | 3): Cursor | undefined {
    const length = this.number(size);
    const bytes = length === undefined ? undefined : this.skip(length);
    return bytes === undefined ? undefined : new Cursor(bytes);
  }

  text(): string {
    return this.#bytes.toString('latin1');
  }
}
