import { afterEach, describe, expect, it } from 'vitest';
import { hintLines } from '../../src/proxy/early-hints.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Gateway, startGateway } from './support/gateway.ts';
import { ok, startUpstream, type Upstream } from './support/upstream.ts';

let gateway: Gateway;
let upstream: Upstream;
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const start = async (before: string) => {
  upstream = await startUpstream((_, socket) => {
    socket.write(before);
    setTimeout(() => socket.write(ok('page')), 50);
    return undefined;
  });
  gateway = await startGateway({ port: upstream.port });
};

const get = (path: string, more = '', version = '1.1'): string =>
  `GET ${path} HTTP/${version}\r\nHost: app.example\r\n${more}\r\n`;
const HINT =
  'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\nSet-Cookie: __Host-postern=x\r\nX-Forwarded-User: root\r\nConnection: x-y\r\n\r\n';

describe('103 of an upstream', () => {
  it('goes on before the answer, with nothing but what browsers use of it', async () => {
    await start(HINT);
    const client = await RawClient.connect(gateway.port);
    await client.send(get('/x'));
    const answer = await client.answer();
    expect([answer?.status, answer?.body]).toEqual([200, 'page']);
    const [interim = ''] = client.received.split('HTTP/1.1 200');
    expect(interim).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\n\r\n');
    await client.send(get('/y'));
    expect((await client.answer())?.body).toBe('page');
    client.destroy();
  });

  it('of a Protected page reaches nobody who may not see the page', async () => {
    await start(HINT);
    const client = await RawClient.connect(gateway.port);
    await client.send(get('/private') + get('/private', 'Cookie: user=1\r\n'));
    expect((await client.answer())?.status).toBe(401);
    expect(client.received.split('HTTP/1.1 401')[0]).toBe('');
    expect((await client.answer())?.body).toBe('page');
    expect(client.received.match(/103 Early Hints/g)?.length).toBe(1);
    client.destroy();
  });

  it('comes to each of pipelined requests in its turn', async () => {
    await start(HINT);
    const client = await RawClient.connect(gateway.port);
    await client.send(get('/a') + get('/b') + get('/c'));
    for (let i = 0; i < 3; i++) expect((await client.answer())?.body).toBe('page');
    expect([...client.received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '103',
      '200',
      '103',
      '200',
      '103',
      '200',
    ]);
    client.destroy();
  });

  it('is not sent to HTTP/1.0, nor are 100, 102 and a hint without anything in it', async () => {
    await start(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Y: z\r\n\r\n`,
    );
    const modern = await RawClient.connect(gateway.port);
    await modern.send(get('/x'));
    await modern.answer();
    expect(modern.received.startsWith('HTTP/1.1 200')).toBe(true);
    modern.destroy();
    await upstream.close();
    await gateway.close();
    await start(HINT);
    const old = await RawClient.connect(gateway.port);
    await old.send(get('/x', '', '1.0'));
    await old.answer();
    expect(old.received).not.toContain('103');
    old.destroy();
  });

  it('A070 is passed on a bounded number of times', async () => {
    await start(HINT.repeat(17));
    const client = await RawClient.connect(gateway.port);
    await client.send(get('/x'));
    expect((await client.answer())?.status).toBe(502);
    expect(client.received.match(/103 Early Hints/g)?.length).toBe(16);
    client.destroy();
  });

  it('has lines that are fields, and not too many of them', async () => {
    await start('');
    expect(hintLines(103, ['link', 'a', 'LINK', 'b\r\nX: y', 'x', 'y'])).toEqual(['link', 'a']);
    expect(hintLines(102, ['link', 'a'])).toBeUndefined();
    expect(hintLines(103, ['link', 'a'.repeat(9000)])).toBeUndefined();
  });
});
