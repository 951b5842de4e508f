import {
  Client,
  credentials,
  type Metadata,
  Metadata as MetadataClass,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openssl } from '../../support/parts.ts';
import { eventually, type Gateway, startGateway } from '../support/gateway.ts';
import { H2Client } from '../support/h2-client.ts';
import { type TestCertificates, testCertificates } from '../support/secure.ts';

const same = (value: Buffer): Buffer => value;
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});
const METHODS = {
  unary: method('/test.Echo/Unary', false, false),
  collect: method('/test.Echo/Collect', true, false),
  many: method('/test.Echo/Many', false, true),
  talk: method('/test.Echo/Talk', true, true),
  never: method('/test.Echo/Never', false, false),
  fails: method('/test.Echo/Fails', false, false),
};

/** A gRPC server, and what it saw. */
async function startGrpc(secure: ServerCredentials) {
  const seen = { cancelled: 0, metadata: undefined as Metadata | undefined };
  const server = new Server();
  server.addService(METHODS, {
    unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      seen.metadata = call.metadata;
      const trailer = new MetadataClass();
      trailer.set('x-trailer', 'at the end');
      trailer.set('x-forwarded-user', 'root');
      done(null, call.request, trailer);
    },
    collect(call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      let bytes = 0;
      call.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      call.on('end', () => done(null, Buffer.from(String(bytes))));
    },
    many(call: ServerWritableStream<Buffer, Buffer>) {
      const count = Number(call.request.toString());
      let at = 0;
      const write = (): void => {
        for (; at < count; ) {
          at += 1;
          if (!call.write(Buffer.alloc(10_000, 97))) {
            call.once('drain', write);
            return;
          }
        }
        call.end();
      };
      write();
    },
    talk(call: ServerDuplexStream<Buffer, Buffer>) {
      call.on('data', (chunk: Buffer) => call.write(Buffer.concat([Buffer.from('re: '), chunk])));
      call.on('end', () => call.end());
    },
    never(call: ServerUnaryCall<Buffer, Buffer>) {
      call.on('cancelled', () => {
        seen.cancelled += 1;
      });
    },
    fails(_call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      done({ code: status.FAILED_PRECONDITION, details: 'not like this: %' });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', secure, (error, bound) => (error === null ? resolve(bound) : reject(error))),
  );
  return { port, seen, close: () => server.forceShutdown() };
}

type Grpc = Awaited<ReturnType<typeof startGrpc>>;

describe.skipIf(openssl.missing)(`gRPC end to end ${openssl.why}`, () => {
  let certificates: TestCertificates;
  beforeAll(() => {
    certificates = testCertificates();
  });
  afterAll(() => certificates.remove());

  describe.each(['h2c', 'h2'] as const)('upstream over %s', (protocol) => {
    let upstream: Grpc;
    let gateway: Gateway;
    let client: Client;
    beforeAll(async () => {
      const { cert, key } = certificates.fallback;
      const secure =
        protocol === 'h2c'
          ? ServerCredentials.createInsecure()
          : ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }]);
      upstream = await startGrpc(secure);
      const place = { protocol, scheme: protocol === 'h2' ? ('https' as const) : ('http' as const) };
      const tls = protocol === 'h2' ? { ca: certificates.ca } : {};
      gateway = await startGateway({
        port: upstream.port,
        https: { certificates: certificates.store, plain: 'Redirect', http2: true },
        routes: [
          { path: '/', exposure: 'Public', ...place, ...tls },
          { path: '/test.Closed', exposure: 'Protected', ...place, ...tls },
          { path: '/test.Nowhere', exposure: 'Public', ...place, ...tls, port: 1 },
          { path: '/test.Denied', exposure: 'Denied' },
        ],
      });
      client = new Client(`127.0.0.1:${gateway.tlsPort}`, credentials.createSsl(Buffer.from(certificates.ca)), {
        'grpc.ssl_target_name_override': 'app.example',
        'grpc.default_authority': 'app.example',
      });
    });
    afterAll(async () => {
      client.close();
      await gateway.close();
      upstream.close();
      expect(gateway.errors).toEqual([]);
      expect(gateway.leases).toBe(0);
    });

    interface Unary {
      readonly error: ServiceError | null;
      readonly body: string | undefined;
      readonly trailers: Metadata | undefined;
    }
    const unary = (path: string, body = 'hello', headers: Record<string, string> = {}, deadline = 30_000) =>
      new Promise<Unary>((resolve) => {
        const metadata = new MetadataClass();
        for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
        let trailers: Metadata | undefined;
        const call = client.makeUnaryRequest(
          path,
          same,
          same,
          Buffer.from(body),
          metadata,
          { deadline: Date.now() + deadline },
          (error, value) => setImmediate(() => resolve({ error, body: value?.toString(), trailers })),
        );
        call.on('status', (ended) => {
          trailers = ended.metadata;
        });
      });

    it('unary, with metadata there and trailers back', async () => {
      const answer = await unary(METHODS.unary.path, 'hello', { 'x-mine': '1', 'x-forwarded-user': 'root' });
      expect([answer.error, answer.body]).toEqual([null, 'hello']);
      expect(upstream.seen.metadata?.get('x-mine')).toEqual(['1']);
      expect(upstream.seen.metadata?.get('x-forwarded-user')).toEqual([]);
      expect(upstream.seen.metadata?.get('x-forwarded-host')).toEqual(['app.example']);
      expect(answer.trailers?.get('x-trailer')).toEqual(['at the end']);
      expect(answer.trailers?.get('x-forwarded-user')).toEqual([]);
      expect(gateway.records.at(-1)).toMatchObject({ outcome: 'forwarded', status: 200 });
    });

    it('an error of the service comes as it is', async () => {
      const { error } = await unary(METHODS.fails.path);
      expect([error?.code, error?.details]).toEqual([status.FAILED_PRECONDITION, 'not like this: %']);
      expect((await unary('/test.Echo/Unknown')).error?.code).toBe(status.UNIMPLEMENTED);
    });

    it('client streaming', async () => {
      const body = await new Promise<string>((resolve, reject) => {
        const call = client.makeClientStreamRequest(METHODS.collect.path, same, same, (error, value) =>
          error === null ? resolve((value ?? '').toString()) : reject(error),
        );
        for (let i = 0; i < 200; i++) call.write(Buffer.alloc(10_000, 97));
        call.end();
      });
      expect(body).toBe('2000000');
    });

    it('server streaming, also to a client that reads slowly', async () => {
      const bytes = await new Promise<number>((resolve, reject) => {
        let received = 0;
        const call = client.makeServerStreamRequest(METHODS.many.path, same, same, Buffer.from('300'));
        call.on('data', (chunk: Buffer) => {
          received += chunk.length;
          if (received % 500_000 === 0) {
            call.pause();
            setTimeout(() => call.resume(), 20);
          }
        });
        call.on('error', reject);
        call.on('end', () => resolve(received));
      });
      expect(bytes).toBe(3_000_000);
    });

    it('both at once, message by message', async () => {
      const call = client.makeBidiStreamRequest(METHODS.talk.path, same, same);
      const heard: string[] = [];
      call.on('data', (chunk: Buffer) => {
        heard.push(chunk.toString());
        if (heard.length < 5) call.write(Buffer.from(`n${heard.length}`));
        else call.end();
      });
      call.write(Buffer.from('n0'));
      await new Promise<void>((resolve, reject) => {
        call.on('end', () => resolve());
        call.on('error', reject);
      });
      expect(heard).toEqual(['n0', 'n1', 'n2', 'n3', 'n4'].map((each) => `re: ${each}`));
    });

    it('a call that is taken back, or out of time, ends at the service too', async () => {
      const before = upstream.seen.cancelled;
      const call = client.makeUnaryRequest(METHODS.never.path, same, same, Buffer.from('x'), () => {});
      await new Promise((resolve) => setTimeout(resolve, 100));
      call.cancel();
      await eventually(() => upstream.seen.cancelled === before + 1, 'it was told');
      const late = await unary(METHODS.never.path, 'x', {}, 200);
      expect(late.error?.code).toBe(status.DEADLINE_EXCEEDED);
      await eventually(() => upstream.seen.cancelled === before + 2, 'it was told again');
      await eventually(() => gateway.leases === 0, 'nothing is held');
    });

    it('what the gateway refuses is a gRPC status', async () => {
      const closed = await unary('/test.Closed/X');
      expect([closed.error?.code, closed.error?.details]).toEqual([status.UNAUTHENTICATED, '401 no_session']);
      expect(gateway.records.at(-1)).toMatchObject({ status: 401 });
      expect((await unary('/test.Closed/X', '', { cookie: 'user=1' })).error?.code).toBe(status.UNIMPLEMENTED);
      expect((await unary('/test.Nowhere/X')).error?.code).toBe(status.UNAVAILABLE);
      expect((await unary('/test.Denied/X')).error?.code).toBe(status.UNAVAILABLE);
    });

    it('gRPC-Web has its statuses as HTTP has them', async () => {
      const web = await H2Client.connect(gateway.tlsPort);
      const answer = await web.ask({
        method: 'POST',
        path: '/test.Closed/X',
        headers: { 'content-type': 'application/grpc-web+proto' },
        body: 'x',
      });
      expect([answer.status, answer.headers['grpc-status']]).toEqual([401, undefined]);
      web.close();
    });

    it('few connections carry all of it', async () => {
      await Promise.all(Array.from({ length: 150 }, (_, i) => unary(METHODS.unary.path, String(i)))).then((answers) =>
        expect(answers.map(({ body }) => body)).toEqual(answers.map((_, i) => String(i))),
      );
    });
  });
});
