import type { Clock, ControlPlaneId, Log, MonotonicMs, Rng } from '@ringfence/base';
import type { Envelope, SigningKey, SigningPublicKey } from '@ringfence/crypto/sign';
import type { Message, MessageBody } from '@ringfence/protocol/messages';
import type { ControlPlaneKeys } from '@ringfence/protocol/statements';
import type { OuterTrust } from '../outer-tls/index.ts';
import type { DurablePartyMessage } from './accept-link-options.ts';
import type { Fact, LinkJournal, LinkParty } from './link-journal.ts';

/** What the control plane may send beyond the link's own bookkeeping. */
export type ControlPlaneMessage = Extract<
  Message,
  { name: 'lease' | 'renew' | 'log-checkpoint' | 'stop' | 'job-closed' | 'delete-data' | 'shred-keys' }
>;

/** Beside a message from the control plane. */
export interface ControlMessageContext {
  /** The id of a durable message; 0 for `renew` and `log-checkpoint`. */
  readonly mid: number;
  /** When this side sent the frame that `echo` names; leases count from here. Undefined: count nothing, the echo is void. */
  readonly sentAt: MonotonicMs | undefined;
  /** The control plane's keys, as its root signed them; `leases` signs leases and receipts. */
  readonly keys: ControlPlaneKeys;
  /** The same statement as it was signed, to show to a custodian. */
  readonly keysEnvelope: Envelope;
}

/** Where a link stands. `failed` is final; in `locked` it asks each minute whether it still is. */
export type LinkState = 'idle' | 'waiting' | 'dialling' | 'up' | 'stopped' | 'locked' | 'failed';

/** What a control link needs. */
export interface ControlLinkOptions {
  /** `https://host[:port]` of the control plane. */
  readonly url: string;
  readonly controlPlane: ControlPlaneId;
  /** The control plane's root, as the join code pinned it. */
  readonly root: SigningPublicKey;
  readonly party: LinkParty;
  /** The party's frame key. */
  readonly key: SigningKey;
  /** Opened by the caller with `LinkJournal.open`; one per link. The link never closes it. */
  readonly journal: LinkJournal;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly trust: OuterTrust;
  readonly proxy?: string | undefined;
  /** Upper bound of the first uniformly random wait before dialling; 15,000 ms unless both ends are on one machine. */
  readonly firstDelayMs?: number | undefined;
  /**
   * Called one at a time, in order; a durable message once per id, and again after a crash before its record was on
   * disk. The fact that it resolves with becomes the record that marks the message as processed, so effect and mark are
   * one; without a fact the acknowledgement is the mark, and the handler's own effect must bear a repetition. Rejecting
   * ends the connection; the message comes again. Everything behind waits, renewals too: begin what takes long, and
   * resolve.
   */
  readonly onMessage: (message: ControlPlaneMessage, context: ControlMessageContext) => Promise<Fact | undefined>;
  /** The body of the next heartbeat. Counters of one attempt change at most once a minute on the wire, whatever this says. */
  readonly heartbeat: () => MessageBody<'heartbeat'>;
  readonly onState?: ((state: LinkState) => void) | undefined;
}

/** A party's end of one control link; it dials again until it is stopped. */
export interface ControlLink {
  readonly state: LinkState;
  /** Keys of the control plane as of the last handshake. */
  readonly keys: ControlPlaneKeys | undefined;
  /** Begins to dial. */
  start(): void;
  /** Closes the connection, waits for a handler that runs and for the journal to be on disk. Call once. */
  stop(): Promise<void>;
  /** Resolves when the control plane has acknowledged all that is queued; after `within` milliseconds, or without a connection, also before. */
  told(within: number): Promise<void>;
  /** Journals a durable message; resolves with its id once it is on disk, connected or not. Throws ClientError `too-large`, `journal-failed`. */
  send(message: DurablePartyMessage): Promise<number>;
  /** Journals a step of the party's own with the messages it causes; resolves once it is on disk. */
  record(fact: Fact): Promise<void>;
}
