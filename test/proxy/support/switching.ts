import type { Socket } from 'node:net';
import { RawClient } from '../../support/raw-client.ts';
import type { Gateway } from './gateway.ts';
import { ok, type Respond } from './upstream.ts';

/** A request that asks for an upgrade. `lines`: more headers, each ended by CRLF. */
export const upgradeRequest = (
  path: string,
  { protocol = 'websocket', lines = '', method = 'GET', connection = 'Upgrade', version = '1.1' } = {},
): string =>
  `${method} ${path} HTTP/${version}\r\nHost: app.example\r\nConnection: ${connection}\r\nUpgrade: ${protocol}\r\n${lines}\r\n`;

export const switching = (protocol = 'websocket', lines = ''): string =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${lines}\r\n`;

/** Switches to whatever is asked for, and then hands the socket over; answers 200 to everything else. */
export const switchingUpstream =
  (switched: (socket: Socket, path: string) => void): Respond =>
  (request, socket) => {
    const protocol = request.header('upgrade');
    if (protocol === undefined) return ok(`plain ${request.target}`);
    socket.removeAllListeners('data');
    socket.write(switching(protocol));
    switched(socket, request.target);
    return undefined;
  };

/** Gives back what it gets, and ends when its peer does. */
export const echo = (socket: Socket): void => {
  socket.on('data', (bytes: Buffer) => {
    if (!socket.write(bytes)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
};

/** A client whose connection was switched. Throws where it wasn't. */
export async function openTunnel({ port }: Pick<Gateway, 'port'>, request = upgradeRequest('/')): Promise<Tunnelled> {
  const client = await RawClient.connect(port);
  await client.send(request);
  const head = await headOf(client);
  if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`not switched: ${head}`);
  return new Tunnelled(client, head);
}

/** The head of the next answer, which may be a 101. */
export async function headOf(client: RawClient): Promise<string> {
  while (!client.received.includes('\r\n\r\n')) {
    if (client.ended) return client.received;
    await client.more();
  }
  return client.received.slice(0, client.received.indexOf('\r\n\r\n') + 4);
}

export class Tunnelled {
  readonly client: RawClient;
  readonly head: string;

  constructor(client: RawClient, head: string) {
    this.client = client;
    this.head = head;
  }

  /** What came behind the 101. */
  get received(): string {
    return this.client.received.slice(this.head.length);
  }

  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      if (this.client.ended) throw new Error(`ended after ${JSON.stringify(this.received.slice(-200))}`);
      await this.client.more();
    }
  }
}
