import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { newId, silentLog, systemRng, type Clock } from '@ringfence/base';
import { createCertificateAuthority, issueServerCertificate } from '@ringfence/crypto/certificate';
import { SigningKey, signEnvelope, type Envelope } from '@ringfence/crypto/sign';
import { WebSocketServer, type WebSocket } from 'ws';
import { acceptLink } from './accept-link.ts';
import type {
  AcceptedLink,
  AcceptingLink,
  AcceptLinkOptions,
  DurableControlMessage,
  DurablePartyMessage,
  JournalPoint,
  KnownParty,
  LinkEnd,
  RenewedLease,
} from './accept-link-options.ts';
import { LINK_PATH, LINK_SOCKET_OPTIONS } from './frame-transport.ts';

/** What a control plane keeps of one party: the rows that the real one has in its database. */
export interface PartyRow {
  known: Omit<KnownParty, 'last' | 'locked'>;
  last: JournalPoint | null;
  locked: boolean;
  received: number;
  connection: number;
  readonly messages: { mid: number; message: DurablePartyMessage }[];
  readonly outbox: { mid: number; message: DurableControlMessage }[];
  nextMid: number;
  acknowledged: number;
  leases: RenewedLease[];
  link: AcceptedLink | undefined;
}

/** A control plane on real TLS and WebSockets that keeps its rows in memory. */
export class LoopbackControlPlane {
  readonly id = newId('controlPlane', systemRng);
  readonly root = SigningKey.generate(systemRng);
  readonly frames = SigningKey.generate(systemRng);
  readonly leases = SigningKey.generate(systemRng);
  readonly rows = new Map<string, PartyRow>();
  readonly ends: LinkEnd[] = [];
  readonly sockets = new Set<Socket>();
  /** Replaces what answers a socket, for hostile doubles. */
  serve: (socket: WebSocket) => AcceptingLink = (socket) => acceptLink(this.options(socket));
  heartbeatMs = 5_000;
  /** Milliseconds for which its online keys hold. */
  keysLifetime = 86_400_000;
  connections = 0;
  /** So many dials are told to come again in two seconds. */
  busy = 0;
  readonly #clock: Clock;
  #server: Server | undefined;
  #caFile = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Listens on the loopback interface; the CA's file goes into `folder`. */
  async listen(folder: string): Promise<void> {
    const options = { clock: this.#clock, rng: systemRng };
    const authority = await createCertificateAuthority(options);
    const { certificatePem, privateKeyPem } = await issueServerCertificate(authority, {
      ...options,
      hosts: ['127.0.0.1'],
    });
    this.#caFile = join(folder, 'ca.pem');
    writeFileSync(this.#caFile, authority.certificatePem);
    const server = createServer({
      cert: certificatePem,
      key: Buffer.from(privateKeyPem.expose()),
      minVersion: 'TLSv1.3',
    });
    const sockets = new WebSocketServer(LINK_SOCKET_OPTIONS);
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.on('tlsClientError', () => {});
    server.on('upgrade', (request, socket: Socket, head) => {
      socket.on('error', () => {});
      if (request.url !== LINK_PATH) return void socket.destroy();
      if (this.busy > 0) {
        this.busy -= 1;
        return void socket.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n');
      }
      sockets.handleUpgrade(request, socket, head, (opened) => {
        this.connections += 1;
        this.serve(opened);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | undefined;
    return address?.port ?? 0;
  }

  get trust(): { caFile: string } {
    return { caFile: this.#caFile };
  }

  /** Admits a party. */
  admit(known: PartyRow['known']): PartyRow {
    const row: PartyRow = {
      known,
      last: null,
      locked: false,
      received: 0,
      connection: 0,
      messages: [],
      outbox: [],
      nextMid: 1,
      acknowledged: 0,
      leases: [],
      link: undefined,
    };
    this.rows.set(known.id, row);
    return row;
  }

  /** Stores a message in the outbox and sends it when the party is connected. */
  enqueue(row: PartyRow, message: DurableControlMessage): void {
    const mid = row.nextMid;
    row.nextMid += 1;
    row.outbox.push({ mid, message });
    row.link?.send(message, mid);
  }

  /** The statement of its online keys. */
  keys(change: { root?: SigningKey; id?: string; signer?: SigningKey } = {}): Envelope {
    const { root = this.root, id = this.id, signer = root } = change;
    const now = this.#clock.now();
    const body = {
      v: 1,
      controlPlane: id,
      root: root.publicKey,
      frames: this.frames.publicKey,
      leases: this.leases.publicKey,
      // Fast clocks of two processes drift apart.
      at: now - 86_400_000,
      notAfter: now + this.keysLifetime,
    };
    return signEnvelope('application/vnd.ringfence.control-plane-keys.v1+json', body, [signer]);
  }

  /** Options as the control plane's process would give them; its "transactions" are single steps. */
  options(socket: WebSocket): AcceptLinkOptions {
    let row: PartyRow | undefined;
    let connection = 0;
    const current = (): PartyRow => {
      if (row === undefined || row.connection !== connection) throw new Error('an older connection commits nothing');
      return row;
    };
    return {
      socket,
      controlPlane: this.id,
      keys: this.keys(),
      framesKey: this.frames,
      clock: this.#clock,
      rng: systemRng,
      log: silentLog,
      heartbeatMs: this.heartbeatMs,
      lookupParty: async (id) => {
        row = this.rows.get(id);
        return row === undefined ? undefined : { ...row.known, last: row.last, locked: row.locked };
      },
      onHello: async ({ hello, offered, party }) => {
        const stored = this.rows.get(party.id);
        if (stored === undefined || stored.locked) return { allow: false, reason: 'locked' };
        if (stored.last?.hash !== offered?.hash) return { allow: false, reason: 'superseded' };
        stored.last = hello.journal;
        stored.connection += 1;
        connection = stored.connection;
        return { allow: true, received: stored.received };
      },
      onFork: async ({ party }) => {
        const stored = this.rows.get(party.id);
        if (stored !== undefined) stored.locked = true;
        stored?.link?.close('locked');
      },
      onReady: (link) => {
        const stored = current();
        stored.link?.close('superseded');
        stored.link = link;
        for (const { mid, message } of stored.outbox) if (mid > link.received) link.send(message, mid);
      },
      onMessage: async (message, { mid }) => {
        const stored = current();
        if (mid !== stored.received + 1) throw new Error('an id was committed twice or left out');
        stored.messages.push({ mid, message });
        stored.received = mid;
      },
      onHeartbeat: async () => current().leases,
      onAck: async (mid, journal) => {
        const stored = current();
        stored.acknowledged = Math.max(stored.acknowledged, mid);
        stored.outbox.splice(0, stored.outbox.filter((entry) => entry.mid <= mid).length);
        if (journal !== undefined) stored.last = journal;
      },
      onEnd: (end) => {
        this.ends.push(end);
        if (row !== undefined && row.connection === connection) row.link = undefined;
      },
    };
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) =>
      this.#server === undefined ? resolve() : this.#server.close(() => resolve()),
    );
  }
}
