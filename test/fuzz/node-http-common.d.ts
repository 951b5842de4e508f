/** The parser of node:http, llhttp, as its tests use it. Callbacks are properties by number. */
declare module 'node:_http_common' {
  export class HTTPParser {
    static readonly RESPONSE: number;
    static readonly kOnHeaders: number;
    static readonly kOnHeadersComplete: number;
    static readonly kOnBody: number;
    static readonly kOnMessageComplete: number;
    [callback: number]: (...args: never) => number | undefined;
    initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void;
    /** How many bytes were read, or what is wrong. */
    execute(bytes: Buffer): number | Error;
    /** The connection has ended. */
    finish(): Error | undefined;
  }
}
