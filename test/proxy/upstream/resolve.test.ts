import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_ENDPOINTS } from '../../../src/proxy/endpoints.ts';
import { dnsResolve } from '../../../src/proxy/upstream/resolve.ts';
import { createSocketForwarder } from '../../../src/proxy/upstream/socket-forwarder.ts';
import { parseCidr } from '../../../src/resources/address-policy.ts';
import { request, testUpstream, text } from './support.ts';

/** Bytes of the addresses for `A` and `AAAA`, `none` for no such name, `silent` for no answer. */
type Answer = readonly (readonly number[])[] | 'none' | 'silent';

const TYPES: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' };

/** A DNS server (RFC 1035) on loopback. */
class DnsServer {
  readonly questions: string[] = [];
  readonly #socket: Socket = createSocket('udp4');
  answer: (name: string, type: 'A' | 'AAAA') => Answer = () => 'none';

  async start(): Promise<string> {
    this.#socket.on('message', (query, from) => {
      const reply = this.#reply(query);
      if (reply !== undefined) this.#socket.send(reply, from.port, from.address);
    });
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  stop(): void {
    this.#socket.close();
  }

  #reply(query: Buffer): Buffer | undefined {
    let at = 12;
    const labels: string[] = [];
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = TYPES[query.readUInt16BE(at + 1)];
    if (type === undefined) return undefined;
    // Case may be mixed, as a nonce (0x20 encoding).
    const name = labels.join('.').toLowerCase();
    this.questions.push(`${name} ${type}`);
    const answer = this.answer(name, type);
    if (answer === 'silent') return undefined;
    const addresses = answer === 'none' ? [] : answer;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(answer === 'none' ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    header.writeUInt32BE(0, 8);
    const records = addresses.map((bytes) =>
      Buffer.from([0xc0, 12, 0, bytes.length === 4 ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, bytes.length, ...bytes]),
    );
    return Buffer.concat([header, query.subarray(12, at + 5), ...records]);
  }
}

const LOCAL = [127, 0, 0, 1];
const LOCAL6 = [...Array<number>(15).fill(0), 1];

describe('names in DNS', () => {
  let dns: DnsServer;
  let resolve: ReturnType<typeof dnsResolve>;
  beforeEach(async () => {
    dns = new DnsServer();
    resolve = dnsResolve([await dns.start()]);
  });
  afterEach(() => dns.stop());

  const ask = (name: string): Promise<string> =>
    new Promise((done) => {
      resolve(name, (error, addresses) => done(error?.code ?? addresses.map(({ address }) => address).join(' ')));
    });

  it('have the addresses of both families, IPv4 first; one is enough', async () => {
    dns.answer = (name, type) => (type === 'A' ? [LOCAL, [10, 0, 0, 1]] : name === 'four.example' ? [] : [LOCAL6]);
    expect(await ask('both.example')).toBe('127.0.0.1 10.0.0.1 ::1');
    expect(await ask('four.example')).toBe('127.0.0.1 10.0.0.1');
    dns.answer = (_name, type) => (type === 'A' ? 'none' : [LOCAL6]);
    expect(await ask('six.example')).toBe('::1');
  });

  it('are unknown, or unanswered: never a failure of the upstream’s', async () => {
    expect(await ask('nobody.example')).toBe('ENOTFOUND');
    dns.answer = () => [];
    expect(await ask('empty.example')).toBe('ENOTFOUND');
    resolve = dnsResolve(['127.0.0.1:9']);
    expect(await ask('unreachable.example')).toBe('EAI_AGAIN');
  });

  it('A174 are asked for as they stand: no search list makes them the cluster’s', async () => {
    await ask('orders.shop');
    await ask('localhost.shop.svc');
    expect([...new Set(dns.questions)].sort()).toEqual([
      'localhost.shop.svc A',
      'localhost.shop.svc AAAA',
      'orders.shop A',
      'orders.shop AAAA',
    ]);
  });

  it('invariant 7: a name is asked for once at a time, whoever asks, and one that stays silent holds up no other', async () => {
    dns.answer = (name, type) => (name === 'silent.example' ? 'silent' : type === 'A' ? [LOCAL] : []);
    const silent = Array.from({ length: 50 }, () => ask('silent.example'));
    let over = 0;
    for (const one of silent) void one.then(() => (over += 1));
    expect(await ask('other.example')).toBe('127.0.0.1');
    expect(over).toBe(0);
    expect(dns.questions.filter((question) => question === 'silent.example A')).toHaveLength(1);
    expect(new Set(await Promise.all(silent))).toEqual(new Set(['EAI_AGAIN']));
    expect(dns.questions.filter((question) => question === 'silent.example A').length).toBeLessThan(4);
  });

  it('A174 DNS rebinding by a real server: the second answer is judged like the first', async () => {
    const inside = await testUpstream('inside', (socket) => {
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\ninside');
    });
    const cidr = parseCidr('127.0.0.1/32');
    const reach = {
      urlBackends: { kind: 'Listed' as const, cidrs: cidr === undefined ? [] : [cidr] },
      clusterDomain: '',
    };
    const up = createSocketForwarder({ ownPorts: new Set(), endpoints: NO_ENDPOINTS, reach, resolve });
    const backend = {
      kind: 'Url' as const,
      scheme: 'http' as const,
      host: 're.example',
      port: inside.port,
      basePath: '',
    };
    const get = async (): Promise<string> => text(await up.forward(request(backend)));
    try {
      dns.answer = (_name, type) => (type === 'A' ? [LOCAL] : []);
      expect(await get()).toBe('inside');
      dns.answer = (_name, type) => (type === 'A' ? [[127, 0, 0, 2]] : [LOCAL6]);
      expect(await get()).toBe('address_not_allowed');
      expect(inside.accepted).toBe(1);
      dns.answer = () => 'none';
      expect(await get()).toBe('name_not_resolved');
    } finally {
      up.close();
      await inside.close();
    }
  });
});
