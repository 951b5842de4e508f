import { gzipSync } from 'node:zlib';
import type { Answer } from './fake-provider.ts';

/** Never answers. */
export const hang: Answer = () => {};

/** Closes the connection without a word. */
export const reset: Answer = (request) => {
  request.socket.destroy();
};

/** One byte now and then, for ever. */
export const drip: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"a":"');
  const timer = setInterval(() => response.write('a'), 20);
  response.on('close', () => clearInterval(timer));
};

/** Bytes as fast as they are taken, for ever; `sent` counts them. */
export function endless(sent: { bytes: number }): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(64 * 1024, 0x20);
    const pump = (): void => {
      while (!response.destroyed) {
        sent.bytes += chunk.length;
        if (!response.write(chunk)) break;
      }
    };
    response.on('drain', pump);
    pump();
  };
}

/** A hundred megabytes of blanks in a hundred kilobytes; made before the first request, for that takes a while. */
export function gzipBomb(): Answer {
  const body = gzipSync(Buffer.alloc(100 * 1024 * 1024, 0x20));
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(body);
  };
}

/** More content codings than anybody should undo. */
export const stackedCodings: Answer = (_request, response) => {
  const codings = new Array<string>(1000).fill('gzip').join(',');
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': codings });
  response.end('{}');
};

/** Ends before the length that it promised. */
export const truncated: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"keys":[]}');
  setTimeout(() => response.destroy(), 20);
};

export const redirect =
  (to: string, status = 302): Answer =>
  (_request, response) => {
    response.writeHead(status, { location: to }).end();
  };

export const say =
  (status: number, body: string, contentType = 'application/json'): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': contentType }).end(body);
  };
