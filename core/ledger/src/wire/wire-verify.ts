import { canonicalJson, equalBytes, fromUtf8 } from '@ringfence/base';
import type { HandshakeSeed } from '@ringfence/crypto/channel';
import type { SigningKey } from '@ringfence/crypto/sign';
import {
  CONTROL_VERSIONS,
  fullBudget,
  READER_DEPTH,
  refill,
  signFrame,
  spend,
  type Budget,
  type OpenedFrame,
} from '@ringfence/protocol/frames';
import type { MessageBody } from '@ringfence/protocol/messages';
import { leaseStatement } from '@ringfence/protocol/statements';
import type { JournalRecord, JournalRecordOf, QueuedMessage } from '../journal/journal-record.ts';
import { isCheckpointSigned } from '../journal/checkpoint.ts';
import { LinkState, ownerOf, type JournalOwner } from '../journal/link-state.ts';
import { RecordHashes } from './record-hashes.ts';
import { RecordedConnection, type LinkKeys } from './recorded-connection.ts';
import { RecordedHandshakes } from './recorded-handshakes.ts';
import { RecordedSockets } from './recorded-sockets.ts';
import type { SessionKeysByConnection } from './session-keys.ts';
import { SmugglingCount } from './smuggling-count.ts';
import {
  MOST_PROBLEMS,
  type WireCount,
  type WireProblem,
  type WireProblemCode,
  type WireReport,
} from './wire-report.ts';

/** What a verification needs beside the records. */
export interface WireKeys extends LinkKeys {
  /** The party's frame key itself: with it, signatures are made again and shown to carry nothing. */
  readonly signing?: SigningKey | undefined;
  /** The seed of the party's handshakes: with it, open frames are made again and shown to carry nothing. */
  readonly seed?: HandshakeSeed | undefined;
}

/**
 * Checks a whole journal of a link (whose chain `readJournal` or `JournalReader` has checked): every frame is sealed again
 * with its connection's keys and compared with what crossed, read by the rules of frames, and counted. Never throws for
 * what the journal says; everything wrong is in the report.
 */
export function wireVerify(input: {
  records: Iterable<JournalRecord>;
  sessions: SessionKeysByConnection;
  keys: WireKeys;
  /** Connections of segments that a retention setting removed. */
  removed?: ReadonlySet<string> | undefined;
}): WireReport {
  const verification = new WireVerification(input);
  for (const record of input.records) verification.take(record);
  return verification.report();
}

class WireVerification {
  readonly #sessions: SessionKeysByConnection;
  readonly #keys: WireKeys;
  readonly #removed: ReadonlySet<string>;
  readonly #hashes = new RecordHashes();
  readonly #problems: WireProblem[] = [];
  readonly #connections = new Map<string, RecordedConnection>();
  readonly #counts = new Map<string, { name: string; dir: 'in' | 'out'; frames: number; bytes: number }>();
  readonly #queued = new Map<number, string>();
  readonly #state = new LinkState();
  readonly #sockets = new RecordedSockets();
  readonly #handshakes: RecordedHandshakes;
  #problemCount = 0;
  #owner: JournalOwner | undefined;
  #smuggling: SmugglingCount | undefined;
  #signaturesFixed = true;
  #budgetOut: Budget = fullBudget(0);
  #arrived = 0;
  #queuedMid = 0;
  #sentMid = 0;
  /** Durable messages up to here were stored in records that are gone. */
  #forgotten = 0;

  constructor({ sessions, keys, removed }: Parameters<typeof wireVerify>[0]) {
    this.#sessions = sessions;
    this.#keys = keys;
    this.#removed = removed ?? new Set();
    this.#handshakes = new RecordedHandshakes(keys.seed);
  }

  take(record: JournalRecord): void {
    switch (record.kind) {
      case 'start':
        this.#start(record);
        break;
      case 'checkpoint':
        this.#checkpoint(record);
        break;
      case 'dial':
      case 'hangup':
        this.#note(record, this.#sockets.take(record, this.#hashes.first));
        break;
      case 'open':
        this.#opened(record);
        break;
      case 'queue':
      case 'fact':
        for (const message of record.queue ?? []) {
          this.#queued.set(message.mid, identityOf(message));
          this.#queuedMid = Math.max(this.#queuedMid, message.mid);
        }
        break;
      case 'accept':
      case 'frame':
      case 'refused':
      case 'disconnect':
        this.#onConnection(record);
        break;
    }
    this.#state.apply(record);
    this.#hashes.push(record);
  }

  report(): WireReport {
    // Keys are kept after the opening is recorded, so that a journal without the opening is not the one that was written.
    for (const conn of this.#sessions.keys())
      if (!this.#connections.has(conn) && !this.#removed.has(conn))
        this.#problem({ seq: this.#hashes.newest }, 'no-connection');
    const connections = Array.from(this.#connections.values(), (connection) => connection.summary());
    const sum = (amounts: number[]): number => amounts.reduce((total, amount) => total + amount, 0);
    const smuggling = this.#smuggling ?? new SmugglingCount('agent');
    return {
      ok: this.#problemCount === 0,
      from: this.#hashes.first,
      records: this.#hashes.newest,
      head: this.#hashes.head,
      problems: this.#problems,
      problemCount: this.#problemCount,
      connections,
      sockets: this.#sockets.result(),
      messages: [...this.#counts.values()] satisfies WireCount[],
      bytesIn: sum(connections.map((connection) => connection.in)),
      bytesOut: sum(connections.map((connection) => connection.out)),
      smuggling: smuggling.result(this.#signaturesFixed, this.#handshakes.commitments),
    };
  }

  #start(record: JournalRecordOf<'start'>): void {
    const { t, seq } = record;
    this.#belongsTo(record);
    this.#budgetOut = seq === 1 ? fullBudget(t) : refill(this.#budgetOut, t);
  }

  #belongsTo(record: JournalRecordOf<'start'> | JournalRecordOf<'checkpoint'>): void {
    const { seed, ...owner } = ownerOf(record);
    if (owner.link !== this.#keys.controlPlane) this.#problem(record, 'recipient');
    if (this.#owner !== undefined && canonicalJson(owner) !== canonicalJson(this.#owner))
      this.#problem(record, 'recipient');
    this.#owner ??= owner;
    this.#smuggling ??= new SmugglingCount(owner.role);
    this.#handshakes.committed(seed);
  }

  /** At the beginning of what is left, its word is taken; anywhere else it has to say what the records before it said. */
  #checkpoint(record: JournalRecordOf<'checkpoint'>): void {
    const { received, queued, acknowledged, unacknowledged, budget, opened } = record;
    this.#belongsTo(record);
    if (!isCheckpointSigned(this.#keys.party, record)) this.#problem(record, 'checkpoint');
    if (this.#hashes.isEmpty) {
      for (const message of unacknowledged) this.#queued.set(message.mid, identityOf(message));
      this.#budgetOut = budget;
      this.#arrived = received;
      this.#queuedMid = queued;
      this.#sentMid = acknowledged;
      this.#forgotten = acknowledged;
      this.#handshakes.opened = opened;
      return this.#smuggling?.arrived(received);
    }
    const { kind: _, seq: __, t: ___, hash: ____, hash_prev: _____, sig: ______, ...said } = record;
    if (canonicalJson(said) !== canonicalJson(this.#state.checkpoint())) this.#problem(record, 'checkpoint');
  }

  #opened(record: JournalRecordOf<'open'>): void {
    if (this.#connections.has(record.conn)) this.#problem(record, 'connection');
    const connection = new RecordedConnection(record);
    this.#connections.set(record.conn, connection);
    this.#note(record, this.#sockets.opened(record));
    this.#payOut(record, Buffer.byteLength(record.frame, 'base64'), false);
    if (this.#owner === undefined) return;
    const origin = this.#handshakes.judge(record, this.#owner, this.#keys);
    this.#smuggling?.opened(origin === 'derived');
    if (origin === 'other') this.#problem(record, 'handshake-seed');
    this.#note(record, connection.checkOpen(this.#owner, this.#keys));
  }

  #onConnection(
    record:
      | JournalRecordOf<'accept'>
      | JournalRecordOf<'frame'>
      | JournalRecordOf<'refused'>
      | JournalRecordOf<'disconnect'>,
  ): void {
    const connection = this.#connections.get(record.conn);
    if (connection === undefined || connection.closed || this.#owner === undefined)
      return this.#problem(record, 'connection');
    if (record.kind === 'refused') return connection.refused(record);
    if (record.kind === 'disconnect') {
      this.#sockets.ended(record.conn, record.out);
      return this.#note(record, connection.disconnect(record));
    }
    if (record.kind === 'frame') return this.#frame(record, connection);
    const session = this.#sessions.get(record.conn);
    this.#payIn(record, connection, { bytes: 8_192, transition: false });
    this.#note(record, connection.accept(record, this.#owner, { ...this.#keys, session }));
  }

  #frame(record: JournalRecordOf<'frame'>, connection: RecordedConnection): void {
    const replayed = connection.frame(record);
    if (!replayed.ok) return this.#problem(record, replayed.code);
    const { opened } = replayed;
    this.#count(opened.message.name, record);
    const spending = { bytes: record.size, transition: opened.transition };
    if (record.dir === 'out') this.#sockets.sent(record.conn, record.size);
    if (record.dir === 'in') {
      this.#payIn(record, connection, spending);
      this.#note(record, this.#cameIn(opened, connection));
    } else {
      this.#payOut(record, record.size, opened.transition);
      this.#note(record, this.#wentOut(opened, connection, record));
    }
  }

  #cameIn({ message, mid }: OpenedFrame, connection: RecordedConnection): WireProblemCode | undefined {
    const queued = this.#queuedMid;
    if (message.name === 'welcome') {
      connection.nextOut = message.body.received + 1;
      return message.body.received > queued ? 'message-gap' : undefined;
    }
    if (message.name === 'control-ack') return message.body.mid > queued ? 'message-gap' : undefined;
    if (mid === 0) return undefined;
    if (mid > this.#arrived + 1) return 'message-gap';
    this.#arrived = Math.max(this.#arrived, mid);
    if (message.name === 'lease') this.#leased(message.body, mid);
    else this.#smuggling?.arrived(mid, message.name === 'stop' ? message.body : undefined);
    return undefined;
  }

  #wentOut(
    opened: OpenedFrame,
    connection: RecordedConnection,
    record: JournalRecordOf<'frame'>,
  ): WireProblemCode | undefined {
    const { message, mid } = opened;
    const again = mid > 0 && mid <= this.#sentMid;
    this.#sentMid = Math.max(this.#sentMid, mid);
    const signature = this.#signature(opened);
    this.#smuggling?.sent(message, { t: record.t, again, signatureFixed: signature === 'fixed' });
    if (signature === 'other') return 'signature';
    if (message.name === 'hello') return this.#hello(message.body, connection);
    if (message.name === 'ack') {
      const { journal } = message.body;
      if (journal === undefined || !this.#isOwnPoint(journal)) return 'journal-point';
      return message.body.mid > this.#arrived ? 'message-gap' : undefined;
    }
    if (mid === 0) return undefined;
    if (mid !== connection.nextOut) return 'message-gap';
    connection.nextOut = mid + 1;
    if (mid <= this.#forgotten) return undefined;
    const { number } = record;
    return this.#queued.get(mid) === identityOf({ mid, number, body: record.body }) ? undefined : 'not-queued';
  }

  #hello(hello: MessageBody<'hello'>, { last }: RecordedConnection): WireProblemCode | undefined {
    const { role, party, org } = this.#owner ?? {};
    if (hello.role !== role || hello.party !== party || hello.org !== org) return 'recipient';
    if (hello.versions.min !== CONTROL_VERSIONS.min || hello.versions.max !== CONTROL_VERSIONS.max) return 'version';
    if (!this.#isOwnPoint(hello.journal)) return 'journal-point';
    if (last !== null && this.#hashes.isForgotten(last.seq)) return undefined;
    const expected = last === null ? undefined : this.#hashes.at(last.seq);
    const resume = last === null || expected === undefined ? null : { seq: last.seq, hash: expected };
    return canonicalJson(hello.resume) === canonicalJson(resume) ? undefined : 'journal-point';
  }

  #isOwnPoint({ seq, hash }: { seq: number; hash: string }): boolean {
    return this.#hashes.isForgotten(seq) || this.#hashes.at(seq) === hash;
  }

  /** Ed25519 is deterministic (RFC 8032): with the key at hand, a signature that was made otherwise shows. */
  #signature({ signedFrame }: OpenedFrame): 'fixed' | 'free' | 'other' {
    if (signedFrame === undefined) return 'fixed';
    const { signing } = this.#keys;
    const same = signing !== undefined && equalBytes(signFrame(signing, signedFrame), signedFrame.signature);
    if (!same) this.#signaturesFixed = false;
    if (signing === undefined) return 'free';
    return same ? 'fixed' : 'other';
  }

  #leased({ lease }: MessageBody<'lease'>, mid: number): void {
    this.#smuggling?.arrived(mid);
    try {
      const payload: unknown = JSON.parse(fromUtf8(Buffer.from(lease.payload, 'base64')));
      const parsed = leaseStatement.safeParse(payload);
      if (!parsed.success) return;
      this.#smuggling?.leased(parsed.data);
      this.#smuggling?.arrived(mid, parsed.data);
    } catch {
      // The agent refuses such a lease; an attempt that it then names counts as chosen by it.
    }
  }

  #payOut(record: JournalRecord, bytes: number, transition: boolean): void {
    const refilled = refill(this.#budgetOut, record.t);
    const left = spend(refilled, { bytes, transition });
    this.#budgetOut = left ?? { ...refilled, tokens: 0 };
    if (left === undefined) this.#problem(record, 'budget');
  }

  #payIn(
    record: JournalRecord,
    connection: RecordedConnection,
    spending: { bytes: number; transition: boolean },
  ): void {
    const refilled = refill(connection.budgetIn, record.t, READER_DEPTH);
    const left = spend(refilled, spending, READER_DEPTH);
    connection.budgetIn = left ?? { ...refilled, tokens: 0 };
    if (left === undefined) this.#problem(record, 'budget');
  }

  #count(name: string, { dir, size }: JournalRecordOf<'frame'>): void {
    const key = `${dir} ${name}`;
    const before = this.#counts.get(key) ?? { name, dir, frames: 0, bytes: 0 };
    this.#counts.set(key, { ...before, frames: before.frames + 1, bytes: before.bytes + size });
  }

  #note(record: JournalRecord, code: WireProblemCode | undefined): void {
    if (code !== undefined) this.#problem(record, code);
  }

  #problem({ seq }: Pick<JournalRecord, 'seq'>, code: WireProblemCode): void {
    this.#problemCount += 1;
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push({ seq, code });
  }
}

function identityOf({ mid, number, body }: QueuedMessage): string {
  return canonicalJson({ mid, number, body });
}
