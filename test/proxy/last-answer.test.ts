import { afterEach, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { eventually, startGateway } from './support/gateway.ts';
import { upgradeRequest } from './support/switching.ts';
import { ok, startUpstream } from './support/upstream.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe('what follows the last answer of a connection', () => {
  it.each(['/%zz', '/a%2fb'])('A073 A085 an upgrade that is reset ends no process (after %s)', async (refused) => {
    const upstream = await startUpstream(() => ok('hello'));
    closing.push(() => upstream.close());
    const gateway = await startGateway({ port: upstream.port });
    closing.push(() => gateway.close());
    const uncaught: unknown[] = [];
    const catches = (error: unknown): void => {
      uncaught.push(error);
    };
    process.prependListener('uncaughtException', catches);
    try {
      const client = await RawClient.connect(gateway.port, '127.0.0.1', undefined, true);
      await client.send(`POST ${refused} HTTP/1.1\r\nHost: app.example\r\nContent-Length: 5\r\n\r\n`);
      await eventually(() => client.received.includes('Connection: close'), 'the last answer');
      await client.send(`hello${upgradeRequest('/')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      client.socket.resetAndDestroy();
      await eventually(() => gateway.connections === 0, 'the end of the connection');
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      process.off('uncaughtException', catches);
    }
    expect(uncaught).toEqual([]);
    expect(upstream.seen).toEqual([]);
  });
});
