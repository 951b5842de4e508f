import { createServer, type Server } from 'node:net';

/** Listens on loopback; gives the port, which for 0 the system chose. Rejects with the system's error. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('the server has no port'));
      else resolve(address.port);
    });
  });
}

/** A port of loopback that nobody listens on; `port` itself, or any for 0. Rejects where it is taken. */
export async function freePort(port: number): Promise<number> {
  const server = createServer();
  const free = await listen(server, port);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return free;
}
