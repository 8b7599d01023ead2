import type { AgentId, Clock, ControlPlaneId, CustodianId, Log, OrgId, Rng } from '@ringfence/base';
import type { Envelope, SigningKey, SigningPublicKey } from '@ringfence/crypto/sign';
import type { FrameRefusal, PartyRole, SignedFrame } from '@ringfence/protocol/frames';
import type { Message, MessageBody } from '@ringfence/protocol/messages';
import type { WebSocket } from 'ws';

/** A place in a party's journal; null when the control plane has never seen one. */
export type JournalPoint = MessageBody<'hello'>['journal'];
/** Why a control plane ends a link. */
export type GoodbyeReason = MessageBody<'goodbye'>['reason'];
/** One lease in a renewal. */
export type RenewedLease = MessageBody<'renew'>['leases'][number];

/** Durable messages of a party: each is handed over once per id, in order. */
export type DurablePartyMessage = Extract<
  Message,
  {
    name:
      | 'offer'
      | 'attempt-status'
      | 'deleted'
      | 'member'
      | 'committed'
      | 'lock'
      | 'wanted'
      | 'evidence'
      | 'admission'
      | 'device-roles'
      | 'lock-word'
      | 'keys-shredded';
  }
>;

/** Durable messages of the control plane; the link itself writes a lease's `echo` when it sends it. */
export type DurableControlMessage =
  | { readonly name: 'lease'; readonly body: Omit<MessageBody<'lease'>, 'echo'> }
  | Extract<Message, { name: 'stop' | 'job-closed' | 'delete-data' | 'shred-keys' }>;

/** What the control plane knows of the party that an open frame names. */
export interface KnownParty {
  readonly id: AgentId | CustodianId;
  readonly org: OrgId;
  readonly role: PartyRole;
  /** The key of its frames, as its custodian's `member` message (or the organisation's registration) gave it. */
  readonly sign: SigningPublicKey;
  /** The newest journal point that the control plane has stored. */
  readonly last: JournalPoint | null;
  readonly locked: boolean;
}

/** A hello whose signature is the party's. */
export interface HelloEvent {
  readonly party: KnownParty;
  readonly hello: MessageBody<'hello'>;
  readonly signedFrame: SignedFrame;
  /** The point that the accept frame named, and that `hello.resume` answers. */
  readonly offered: JournalPoint | null;
}

/** The control plane's answer to a hello. */
export type HelloAnswer =
  | {
      readonly allow: true;
      /** Highest message id of this party that is committed; the party sends everything above it again. */
      readonly received: number;
    }
  | { readonly allow: false; readonly reason: GoodbyeReason };

/** Beside a durable message. */
export interface PartyMessageContext {
  readonly party: KnownParty;
  /** The message's id: always one above the one before. */
  readonly mid: number;
  /** Proof that the party said it; keep it with what it changed. */
  readonly signedFrame: SignedFrame;
}

/** How a connection ended, and the bytes of frames that crossed in each direction. */
export interface LinkEnd {
  readonly code: FrameRefusal | 'closed' | 'goodbye' | 'timed-out' | 'failed';
  readonly reason: GoodbyeReason | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/**
 * One connection at the control plane. The caller puts HTTP, WebSocket and its database around it and gives the
 * callbacks; they are called one at a time, in the order of the frames, and no frame is read while one is pending
 * beyond a short queue. A callback that rejects ends the connection with `failed` (and goodbye `protocol`); nothing is
 * acknowledged then, so the party sends it again on its next connection.
 */
export interface AcceptLinkOptions {
  /** An open server-side WebSocket of subprotocol `ringfence-control-1`, made with `LINK_SOCKET_OPTIONS`. */
  readonly socket: WebSocket;
  readonly controlPlane: ControlPlaneId;
  /** The `control-plane-keys` statement signed by the control plane's root; its `frames` key is `framesKey`'s. */
  readonly keys: Envelope;
  readonly framesKey: SigningKey;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** How often the party shall say that it is there. Below 2 s the budget sets the pace. */
  readonly heartbeatMs: number;
  /** Undefined: the party is told `unknown-party`. Called once, before anything is authenticated: read only. */
  readonly lookupParty: (id: AgentId | CustodianId) => Promise<KnownParty | undefined>;
  /**
   * The signature is good and `resume` matches `offered`. In one transaction: lock the party's row; when its stored
   * point is no longer `offered`, or it is locked, refuse (`superseded`, `locked`); store `hello.journal`; raise the
   * party's connection number, which every later transaction of this connection checks, so that an older connection
   * on another replica commits nothing any more. `hello.received` above every id in the outbox means that the
   * database was restored: number on from `hello.received + 1`.
   */
  readonly onHello: (event: HelloEvent) => Promise<HelloAnswer>;
  /** The journal is not the one that the control plane knew: lock the identity. The link says `goodbye locked` after. */
  readonly onFork: (event: HelloEvent) => Promise<void>;
  /** Welcome is on its way: close an older connection of this party (`superseded`), send the outbox above `received`. */
  readonly onReady: (link: AcceptedLink) => void;
  /** Commit the message and its id together; the acknowledgement leaves when the promise resolves. */
  readonly onMessage: (message: DurablePartyMessage, context: PartyMessageContext) => Promise<void>;
  /**
   * The leases that go on; the link answers a heartbeat with them (an empty list is an answer too), and not at all when undefined. Called in
   * its turn, but what follows does not wait for it.
   */
  readonly onHeartbeat: (
    body: MessageBody<'heartbeat'>,
    party: KnownParty,
  ) => Promise<readonly RenewedLease[] | undefined>;
  /** The party has processed all messages up to `mid`: forget them, and store its journal point. Also called with what a hello says. */
  readonly onAck: (mid: number, journal: JournalPoint | undefined, party: KnownParty) => Promise<void>;
  /** The connection is over; called once, last, in every case. */
  readonly onEnd: (end: LinkEnd) => void;
}

/** A connection whose hello was accepted. */
export interface AcceptedLink {
  readonly party: KnownParty;
  /** Highest message id of the control plane that the party had processed at its hello. */
  readonly received: number;
  /**
   * Queues a durable message; ids go up by one from `received + 1`. It may wait for the budget; a closed link drops it
   * silently, since the outbox sends it again. A lease's `echo` is the last frame received when this is called, so the
   * control plane counts the lease from this call or later. Throws ClientError `too-large`, RangeError for an id out of order.
   */
  send(message: DurableControlMessage, mid: number): void;
  /** Sends a checkpoint of the party's log when nothing else waits; it may be lost with the connection. */
  show(checkpoint: MessageBody<'log-checkpoint'>): void;
  /** Says goodbye and closes. */
  close(reason: GoodbyeReason): void;
}

/** A connection from its first byte on; `close` before a hello says goodbye when there are keys, else just closes. */
export interface AcceptingLink {
  close(reason: GoodbyeReason): void;
}
