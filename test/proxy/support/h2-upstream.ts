import type { Socket } from 'node:net';
import { FRAME, type Frame, frame, PREFACE } from './h2-frames.ts';
import { type RawUpstream, startRawUpstream } from './upstream.ts';

export interface FrameUpstream extends RawUpstream {
  /** Frames of each connection, in order of connecting. */
  readonly frames: readonly (readonly Frame[])[];
}

/** An h2c server that answers frames by hand. `heard`: every frame after the preface; `nth`: which connection, from one. */
export async function startFrameUpstream(
  heard: (frame: Frame, socket: Socket, nth: number) => void,
  settings: Buffer = Buffer.alloc(0),
): Promise<FrameUpstream> {
  const frames: Frame[][] = [];
  const upstream = await startRawUpstream((socket, nth) => {
    const mine: Frame[] = [];
    frames.push(mine);
    let buffer = Buffer.alloc(0);
    let begun = false;
    socket.write(frame(FRAME.SETTINGS, 0, 0, settings));
    socket.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk]);
      if (!begun && buffer.length >= PREFACE.length) {
        buffer = buffer.subarray(PREFACE.length);
        begun = true;
      }
      while (begun && buffer.length >= 9 && buffer.length >= 9 + buffer.readUIntBE(0, 3)) {
        const length = buffer.readUIntBE(0, 3);
        const received = {
          type: buffer[3] ?? 0,
          flags: buffer[4] ?? 0,
          stream: buffer.readUInt32BE(5) & 0x7fffffff,
          payload: Buffer.from(buffer.subarray(9, 9 + length)),
        };
        buffer = buffer.subarray(9 + length);
        mine.push(received);
        if (received.type === FRAME.SETTINGS && (received.flags & 1) === 0) socket.write(frame(FRAME.SETTINGS, 1, 0));
        heard(received, socket, nth);
      }
    });
  });
  return {
    port: upstream.port,
    sockets: upstream.sockets,
    get connections() {
      return upstream.connections;
    },
    frames,
    close: () => upstream.close(),
  };
}
