/** A header of version 2 of the PROXY protocol. `command`: 0x21 PROXY, 0x20 LOCAL; `rest`: addresses, and what follows them. */
export function v2(command: number, family: number, rest: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(rest.length);
  return Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'), Buffer.from([command, family]), length, rest]);
}

export const v1 = (client: string): string => `PROXY TCP4 ${client} 192.0.2.1 4660 443\r\n`;
