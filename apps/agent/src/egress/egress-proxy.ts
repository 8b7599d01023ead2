import { chmodSync, closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Clock } from '@ringfence/base';
import { EGRESS_SOCKET } from '../sandbox-init/places.ts';
import type { EgressCount, EgressRefusal } from './egress-count.ts';
import { readAbsoluteTarget, readConnectTarget, type EgressWish } from './egress-target.ts';
import { forwardStraight, forwardUpstream, IDLE_MS } from './forward-http.ts';
import { checkedAddresses, EgressRefused, openTarget, type EgressSite } from './open-target.ts';

/** The way out of one attempt. */
export interface EgressProxyOptions {
  /** Exact `host:port` names of what may be reached. */
  readonly allow: ReadonlySet<string>;
  readonly site: EgressSite;
  readonly count: EgressCount;
  readonly clock: Clock;
}

/** O_PATH of open(2), which Node does not name. */
const PATH_ONLY = 0o10_000_000;
const MOST_CONNECTIONS = 256;
const STATUS: Readonly<Partial<Record<EgressRefusal, number>>> = {
  'bad-request': 400,
  unreachable: 502,
  'not-resolved': 502,
  'too-many': 503,
};

/**
 * The proxy of one attempt: CONNECT and plain HTTP to what the job's signed workload lists, and to nothing else. It resolves names
 * itself and dials the address that it checked; a name outside the list is not even asked for, or questions could carry data out.
 */
export class EgressProxy {
  readonly #options: EgressProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #folderFd: number | undefined;

  constructor(options: EgressProxyOptions) {
    this.#options = options;
    this.#server = createServer({
      headersTimeout: 15_000,
      requestTimeout: 0,
      keepAliveTimeout: 30_000,
      maxHeaderSize: 32_768,
    });
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('request', (request, response) => void this.#forward(request, response));
    this.#server.on('connect', (request, socket, head) => void this.#tunnel(request, socket, head));
    this.#server.on('connection', (socket) => this.#keep(socket));
    this.#server.on('drop', () => options.count.refused('too-many', undefined));
    this.#server.on('clientError', (_error, socket) => void socket.destroy());
  }

  /** Listens in `folder`, which is made, on a socket that whoever may pass the folder can use. */
  async listenIn(folder: string): Promise<void> {
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    // By descriptor: the path may be longer than the address of a socket can be (unix(7): 107 bytes).
    this.#folderFd = openSync(folder, PATH_ONLY);
    this.#server.listen({ path: join('/proc/self/fd', String(this.#folderFd), EGRESS_SOCKET), writableAll: true });
    await once(this.#server, 'listening');
  }

  /** Listens on the machine's loopback, for jobs without a sandbox; resolves with the proxy's URL. */
  async listenOnLoopback(): Promise<string> {
    this.#server.listen({ host: '127.0.0.1', port: 0 });
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends it with every connection through it. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#folderFd === undefined) return;
    rmSync(join('/proc/self/fd', String(this.#folderFd), EGRESS_SOCKET), { force: true });
    closeSync(this.#folderFd);
    this.#folderFd = undefined;
  }

  async #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const wish = readConnectTarget(request.url ?? '');
    const fail = (error: unknown): void => {
      const { status, text } = this.#refuse(error, wish);
      socket.end(`HTTP/1.1 ${status} Refused\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n${text}`);
    };
    try {
      const target = await openTarget(this.#allowed(wish), this.#options.site, this.#options.clock);
      this.#keep(target);
      this.#options.count.opened();
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      if (head.length > 0) target.write(head);
      pass(socket, target);
      pass(target, socket);
      target.setTimeout(IDLE_MS, () => target.destroy());
      if (socket.destroyed) target.destroy();
    } catch (error) {
      fail(error);
    }
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { site, clock, count } = this.#options;
    const asked = readAbsoluteTarget(request.url ?? '');
    try {
      const wish = this.#allowed(asked?.wish);
      const to = { key: wish.key, path: asked?.path ?? '/' };
      if (site.upstream === undefined) {
        const socket = await openTarget(wish, site, clock);
        this.#keep(socket);
        count.opened();
        return forwardStraight(request, response, { ...to, socket });
      }
      await checkedAddresses(wish, site);
      count.opened();
      forwardUpstream(request, response, { ...to, upstream: site.upstream });
    } catch (error) {
      const { status, text } = this.#refuse(error, asked?.wish);
      response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(text);
    }
  }

  #allowed(wish: EgressWish | undefined): EgressWish {
    if (wish === undefined) throw new EgressRefused('bad-request');
    if (!this.#options.allow.has(wish.key)) throw new EgressRefused('not-listed');
    return wish;
  }

  #refuse(error: unknown, wish: EgressWish | undefined): { status: number; text: string } {
    const reason = error instanceof EgressRefused ? error.reason : 'unreachable';
    this.#options.count.refused(reason, wish);
    return { status: STATUS[reason] ?? 403, text: `ringfence: ${reason}\n` };
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

function pass(from: Duplex, to: Duplex | Socket): void {
  from.pipe(to);
  from.on('close', () => to.destroy());
}
