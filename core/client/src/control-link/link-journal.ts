import {
  errorFields,
  type AgentId,
  type Clock,
  type ControlPlaneId,
  type CustodianId,
  type Log,
  type OrgId,
  type Rng,
} from '@ringfence/base';
import { makeFolder } from '@ringfence/base/platform';
import type { ChannelKeys, HandshakeSeed } from '@ringfence/crypto/channel';
import { sha256Hex, type Digest, type SigningKey } from '@ringfence/crypto/sign';
import {
  JOURNAL_FORMAT,
  LinkState,
  signCheckpoint,
  type DisconnectCode,
  type JournalFields,
  type JournalRecord,
  type JournalRecordOf,
  type QueuedMessage,
} from '@ringfence/ledger';
import { refill, waitFor, type FrameRefusal, type PartyRole, type Spending } from '@ringfence/protocol/frames';
import { MESSAGES } from '@ringfence/protocol/messages';
import { ClientError } from '../error.ts';
import type { DurablePartyMessage, JournalPoint } from './accept-link-options.ts';
import type { JournalRetention } from './closed-part.ts';
import type { SegmentFault } from './closed-segment.ts';
import { lockFolder } from './folder-lock.ts';
import { openHandshakeSeed } from './handshake-seed-file.ts';
import { JournalFile } from './journal-file.ts';
import { checkQueueable } from './queueable.ts';
import { SessionKeysFile } from './session-keys.ts';

/** Who dials: an agent or a custodian, as its keyring names it. */
export interface LinkParty {
  readonly id: AgentId | CustodianId;
  readonly org: OrgId;
  readonly role: PartyRole;
}

/**
 * A step of the party's own that survives a crash as one journal record: what happened, and the durable messages that
 * it causes, together or not at all.
 */
export interface Fact {
  /** Lower-case letters and hyphens, at most 40. */
  readonly name: string;
  /** Plain canonical JSON, at most 200 KiB. */
  readonly body: JournalRecordOf<'fact'>['body'];
  readonly queue?: readonly DurablePartyMessage[] | undefined;
}

/** When a segment of a journal is full. */
export interface SegmentLimits {
  readonly bytes: number;
  /** Milliseconds since its first record. */
  readonly age: number;
}

const SEGMENT_LIMITS: SegmentLimits = { bytes: 2_097_152, age: 86_400_000 };

/** What a journal is opened with. */
export interface JournalOptions {
  readonly folder: string;
  readonly party: LinkParty;
  readonly controlPlane: ControlPlaneId;
  readonly clock: Clock;
  readonly log?: Log | undefined;
  readonly onFact?: ((fact: StoredFact) => void) | undefined;
  /** The party's frame key: with it, full segments are closed and checkpoints signed. */
  readonly key?: SigningKey | undefined;
  /** With it, handshakes come from a seed that the journal commits to; it is drawn on first use. */
  readonly rng?: Rng | undefined;
  readonly retention?: JournalRetention | undefined;
  readonly limits?: SegmentLimits | undefined;
  readonly fault?: SegmentFault | undefined;
  /** Called once when it can be written no more: the process has to end, and to be started again. */
  readonly onFailed?: ((error: ClientError) => void) | undefined;
  /** Asked before every record; throws when this process may write no more. */
  readonly mayWrite?: (() => void) | undefined;
  /** Something stronger than the folder's lock says whose it is: whoever held it before, dead or frozen, is displaced. */
  readonly displaces?: boolean | undefined;
}

/** A fact as the journal gives it back. */
export type StoredFact = JournalRecordOf<'fact'>;

/**
 * The journal of one control link in a folder of its own, and what it says about the link. Everything that crosses the
 * link passes through here before it is sent and as it arrives; the party's own steps lie in the same chain.
 */
export class LinkJournal {
  /** The folder that holds it, and nothing else. */
  readonly folder: string;
  readonly #file: JournalFile;
  readonly #sessions: SessionKeysFile;
  readonly #unlock: () => void;
  readonly #state: LinkState;
  readonly #role: PartyRole;
  readonly #options: JournalOptions;
  readonly #seed: HandshakeSeed | undefined;
  readonly #dials = new Set<number>();
  #onHungUp: () => void = () => {};
  #onQueued: () => void = () => {};

  private constructor(parts: {
    file: JournalFile;
    sessions: SessionKeysFile;
    unlock: () => void;
    state: LinkState;
    seed: HandshakeSeed | undefined;
    options: JournalOptions;
  }) {
    this.folder = parts.options.folder;
    this.#file = parts.file;
    this.#sessions = parts.sessions;
    this.#unlock = parts.unlock;
    this.#state = parts.state;
    this.#role = parts.options.party.role;
    this.#options = parts.options;
    this.#seed = parts.seed;
  }

  /**
   * Opens or makes the journal of one link in `folder` (0700), for this process alone, and hands over the facts that it
   * holds, oldest first. Throws ClientError `folder-in-use`, `wrong-folder`, and LedgerError `broken-journal`.
   */
  static open(options: JournalOptions): LinkJournal {
    const { folder, clock, rng } = options;
    makeFolder(folder);
    const unlock = lockFolder(folder, { displaces: options.displaces === true });
    try {
      const state = new LinkState();
      const file = new JournalFile(
        folder,
        clock,
        (record) => {
          state.apply(record);
          if (record.kind === 'fact') options.onFact?.(record);
        },
        {
          fault: options.fault,
          onUntidy: (cause) => options.log?.error('journal.untidy', errorFields(cause)),
          onFailed: options.onFailed,
        },
      );
      const { id: party, org, role } = options.party;
      const owner = { role, party, org, link: options.controlPlane };
      if (state.owner !== undefined && !sameOwner(owner, state.owner)) throw wrongFolder();
      const seed = rng === undefined ? undefined : openHandshakeSeed(folder, rng);
      const sessions = new SessionKeysFile(folder);
      const journal = new LinkJournal({ file, sessions, unlock, state, seed, options });
      journal.#closeFullSegment();
      const committed = seed === undefined ? {} : { seed: seed.commitment };
      journal.#append({ kind: 'start', format: JOURNAL_FORMAT, ...owner, ...committed });
      return journal;
    } catch (error) {
      unlock();
      throw error;
    }
  }

  /** What the journal says about the link. */
  get state(): LinkState {
    return this.#state;
  }

  /** The newest record: its number and hash. */
  get point(): JournalPoint {
    const { seq, hash } = this.#file.head;
    return { seq, hash };
  }

  /** Chance for the next handshake, made from the seed that the journal commits to; undefined when it commits to none. */
  get handshakeRng(): Rng | undefined {
    return this.#seed?.rng(this.#state.opened);
  }

  /** The segment that is written to should be closed: it is, as soon as there is no connection. */
  get isSegmentFull(): boolean {
    const { key, limits = SEGMENT_LIMITS } = this.#options;
    return key !== undefined && (this.#file.segmentBytes >= limits.bytes || this.#file.segmentAge >= limits.age);
  }

  /** Hash of the record with this number; undefined beyond the end, and 64 zeros for 0. */
  hashAt(seq: number): Digest | undefined {
    return this.#file.hashAt(seq);
  }

  /**
   * Appends a fact with the messages that it causes; resolves once it is on disk. `of` is the id of the durable message
   * that is processed thereby. Throws ClientError `too-large`, `journal-failed`, and TypeError for a message that is
   * not of its schema or not this role's.
   */
  async fact(fact: Fact, of?: number): Promise<void> {
    const queue = this.#numbered(fact.queue ?? []);
    this.#append({
      kind: 'fact',
      name: fact.name,
      body: fact.body,
      ...(of === undefined ? {} : { of }),
      ...(queue.length === 0 ? {} : { queue }),
    });
    await this.#file.sync();
    this.#onQueued();
  }

  /** Appends a durable message alone; resolves with its id once it is on disk. Throws as {@link LinkJournal.fact} does. */
  async queue(message: DurablePartyMessage): Promise<number> {
    const mid = this.#state.queued + 1;
    const queue = this.#numbered([message]);
    this.#append({ kind: 'queue', queue });
    await this.#file.sync();
    this.#onQueued();
    return mid;
  }

  /** Who is told of newly stored messages: the link. */
  listen(onQueued: () => void): void {
    this.#onQueued = onQueued;
  }

  /** Durable messages above `mid`, acknowledged before or not (a restored control plane asks for older ones again). */
  messagesAbove(mid: number): readonly QueuedMessage[] {
    if (mid >= this.#state.acknowledged) return this.#state.unacknowledged.filter((message) => message.mid > mid);
    const found: QueuedMessage[] = [];
    this.#file.scan((record) => {
      if (record.kind === 'queue' || record.kind === 'fact')
        found.push(...(record.queue ?? []).filter((message) => message.mid > mid));
      return true;
    });
    return found;
  }

  /** Milliseconds until the budget pays for a frame; 0 when it does now. */
  waitFor(spending: Spending): number {
    return waitFor(refill(this.#state.budget, this.#file.now()), spending);
  }

  /** A TCP connection was made, and nothing has crossed it; returns the number of its record. */
  dialled(dial: { to: string; via: 'direct' | 'proxy'; local: string; remote: string }): number {
    const { seq } = this.#append({ kind: 'dial', ...dial });
    this.#dials.add(seq);
    return seq;
  }

  /** A TCP connection is closed: bytes of TCP payload that this side has read and written. A failed journal takes no more. */
  hungUp(dial: number, bytes: { in: number; out: number }): void {
    if (this.#file.isUsable) this.#append({ kind: 'hangup', dial, ...bytes });
    this.#dials.delete(dial);
    if (this.#dials.size === 0) this.#onHungUp();
  }

  /** Resolves once every TCP connection that was made is closed and written down as such. */
  hungUpAll(): Promise<void> {
    if (this.#dials.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onHungUp = resolve));
  }

  /** The open frame of connection `conn` is about to be sent over the TCP connection of record `dial`. */
  opened(conn: string, frame: Uint8Array, dial?: number): void {
    this.#append({ kind: 'open', conn, frame: base64(frame), ...(dial === undefined ? {} : { dial }) });
  }

  /** The accept frame was good; keeps the session's keys on disk. */
  accepted(conn: string, frame: Uint8Array, agreed: { transcript: Uint8Array; keys: ChannelKeys }): void {
    const transcript = Buffer.from(agreed.transcript).toString('hex') as Digest;
    // The keys first: whoever reads the accept, and every frame after it, finds them.
    this.#sessions.add(conn, agreed.keys);
    this.#append({ kind: 'accept', conn, frame: base64(frame), transcript });
  }

  /** A sealed frame is about to be sent, or was received and opened. */
  crossed(conn: string, dir: 'in' | 'out', frame: CrossedFrame): void {
    const { sequence: n, number, mid, body, signature, bytes } = frame;
    this.#append({
      kind: 'frame',
      conn,
      dir,
      n,
      number,
      mid,
      body: body as JournalRecordOf<'frame'>['body'],
      ...(signature === undefined ? {} : { sig: base64(signature) }),
      size: bytes.length as JournalRecordOf<'frame'>['size'],
      wire: sha256Hex(bytes),
    });
  }

  /** A frame that was received and refused. */
  refused(conn: string, bytes: Uint8Array, code: FrameRefusal): void {
    this.#append({ kind: 'refused', conn, dir: 'in', size: bytes.length, wire: sha256Hex(bytes), code });
  }

  /** The connection is over; bytes of frames that crossed in each direction. */
  disconnected(conn: string, end: { in: number; out: number; code: DisconnectCode }): void {
    this.#append({ kind: 'disconnect', conn, ...end });
    this.#closeFullSegment();
  }

  /** Resolves once everything appended before is on disk. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Syncs, closes and frees the folder; call once, after the link has stopped. */
  async close(): Promise<void> {
    this.#sessions.close();
    try {
      await this.#file.close();
    } finally {
      this.#unlock();
    }
  }

  #numbered(messages: readonly DurablePartyMessage[]): QueuedMessage[] {
    return messages.map((message, index) => {
      checkQueueable(message, 'party', this.#role);
      const mid = this.#state.queued + 1 + index;
      return { mid, number: MESSAGES[message.name].number, body: message.body as QueuedMessage['body'] };
    });
  }

  /** Only between connections, so that each connection can be checked from one segment alone. */
  #closeFullSegment(): void {
    const { key, retention } = this.#options;
    if (key === undefined || !this.isSegmentFull) return;
    this.#options.mayWrite?.();
    this.#state.apply(this.#file.rotate((head) => signCheckpoint(key, head, this.#state.checkpoint())));
    if (retention !== undefined) this.#file.retain(retention);
  }

  #append(fields: JournalFields): JournalRecord {
    this.#options.mayWrite?.();
    const record = this.#file.append(fields);
    this.#state.apply(record);
    return record;
  }
}

/** What the journal keeps of a sealed frame. */
export interface CrossedFrame {
  readonly sequence: number;
  readonly number: number;
  readonly mid: number;
  readonly body: object;
  readonly signature: Uint8Array | undefined;
  readonly bytes: Uint8Array;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function sameOwner(a: object, b: object): boolean {
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.every(([key, value]) => right.get(key) === value);
}

function wrongFolder(): ClientError {
  return new ClientError('wrong-folder', 'this folder holds the journal of another party or another control plane', {
    next: 'name the folder of this link, or an empty one for a new link',
  });
}
