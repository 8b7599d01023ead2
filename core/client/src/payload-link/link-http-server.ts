import { createServer, type RequestListener, type Server } from 'node:http';

const HEADERS_WITHIN = 10_000;
const CHECK_EVERY = 1_000;
const IDLE_WITHIN = 120_000;
const KEEP_ALIVE = 60_000;

/**
 * An HTTP server for payload links that never listens itself: `servePayload` feeds it. Headers must be complete within
 * 10 s and a socket may be silent for 120 s; a request as a whole has no limit, since artifacts are large.
 */
export function linkHttpServer(
  handler: RequestListener,
  limits: { headersWithin?: number; idleWithin?: number } = {},
): Server {
  const headersTimeout = limits.headersWithin ?? HEADERS_WITHIN;
  const server = createServer(
    {
      headersTimeout,
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE,
      connectionsCheckingInterval: Math.min(CHECK_EVERY, headersTimeout),
    },
    handler,
  );
  server.setTimeout(limits.idleWithin ?? IDLE_WITHIN);
  // Node starts its watch over slow requests when a server listens; this one is fed by hand.
  server.emit('listening');
  return server;
}
