import type { Figure } from '../statistics.ts';
import { h2load } from './h2load.ts';
import { startPlain, type Upstream } from './nginx.ts';
import { interleaved, ratio, ratioFigure } from './rounds.ts';
import { startSecureGateway } from './secure-gateway.ts';
import { wrk } from './wrk.ts';

/** Over TLS 1.3, and over HTTP/2 in it, against nginx with both. */
export async function secure(upstream: Upstream): Promise<readonly Figure[]> {
  const gateway = await startSecureGateway(upstream.port);
  const nginx = await startPlain(upstream.port, gateway.tls);
  try {
    const http1 = await interleaved([nginx, gateway], (contender) => wrk(contender, { seconds: 3, connections: 64 }));
    const http2 = await interleaved([nginx, gateway], (contender) =>
      h2load(contender, { seconds: 3, connections: 8, streams: 8, http1: false }),
    );
    return [
      ratioFigure('CPU per request over TLS 1.3', 'nginx with TLS', ratio(http1, gateway.name, nginx.name), 2.5),
      ratioFigure('CPU per HTTP/2 request', 'nginx with HTTP/2', ratio(http2, gateway.name, nginx.name), 3),
    ];
  } finally {
    await Promise.all([nginx.stop(), gateway.stop()]);
  }
}
