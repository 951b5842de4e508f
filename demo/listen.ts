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

/** A port of loopback that nobody else can have until it is released. */
export interface Reservation {
  readonly port: number;
  release(): Promise<void>;
}

/** Reserves `port` itself, or any free one for 0. Rejects with the system's error where it is taken. */
export async function reservePort(port: number): Promise<Reservation> {
  const server = createServer();
  return {
    port: await listen(server, port),
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
