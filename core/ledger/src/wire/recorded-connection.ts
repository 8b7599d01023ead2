import { epochMs, toHex } from '@ringfence/base';
import { sha256Hex, type SigningPublicKey } from '@ringfence/crypto/sign';
import {
  checkAccept,
  FrameReceiver,
  FrameSender,
  fullBudget,
  messageOfNumber,
  READER_DEPTH,
  readOpen,
  transcriptOf,
  type Budget,
  type Direction,
  type FrameRefusal,
  type OpenedFrame,
  type PinnedControlPlane,
} from '@ringfence/protocol/frames';
import type { Message } from '@ringfence/protocol/messages';
import type { JournalRecordOf } from '../journal/journal-record.ts';
import type { JournalOwner } from '../journal/link-state.ts';
import type { SessionKeys } from './session-keys.ts';
import type { WireConnection, WireProblemCode } from './wire-report.ts';

/** Whose keys the frames of a link have to fit. */
export interface LinkKeys extends PinnedControlPlane {
  /** The party's frame key. */
  readonly party: SigningPublicKey;
}

/** What a recorded frame turned out to be. */
export type ReplayedFrame =
  | { readonly ok: true; readonly opened: OpenedFrame }
  | { readonly ok: false; readonly code: WireProblemCode };

/** One direction: seals what was recorded, with the signatures that were recorded, and reads it by the rules. */
interface Replay {
  readonly sender: FrameSender;
  readonly receiver: FrameReceiver;
  readonly recorded: { signature: Uint8Array };
}

/** One connection as a journal tells it: its frames are sealed again, compared with what crossed, and read by the rules. */
export class RecordedConnection {
  readonly conn: string;
  /** What the reader's side would still have taken. */
  budgetIn: Budget;
  /** The id that the party's next durable message has; undefined before welcome. */
  nextOut: number | undefined;
  readonly #open: Uint8Array;
  readonly #from: number;
  readonly #out: number[];
  #to: number;
  #in = 0;
  #framesIn = 0;
  #framesOut = 0;
  #handed: number | undefined;
  #last: { seq: number; hash: string } | null = null;
  #replays: Record<'in' | 'out', Replay> | undefined;

  constructor({ conn, frame, t }: JournalRecordOf<'open'>) {
    this.conn = conn;
    this.budgetIn = fullBudget(t, READER_DEPTH);
    this.#open = Buffer.from(frame, 'base64');
    this.#from = t;
    this.#to = t;
    this.#out = [this.#open.length];
  }

  /** A disconnect record was read. */
  get closed(): boolean {
    return this.#handed !== undefined;
  }

  /** The point of the party's journal that the control plane said it knew. */
  get last(): { readonly seq: number; readonly hash: string } | null {
    return this.#last;
  }

  /** What is wrong with the open frame. */
  checkOpen(owner: JournalOwner, keys: LinkKeys): FrameRefusal | undefined {
    const request = readOpen(this.#open, keys.controlPlane);
    if (!request.ok) return request.code;
    return request.party === owner.party ? undefined : 'recipient';
  }

  /** Takes the accept frame; what is wrong with it. */
  accept(
    { frame, transcript: told, t }: JournalRecordOf<'accept'>,
    owner: JournalOwner,
    keys: LinkKeys & { readonly session: SessionKeys | undefined },
  ): WireProblemCode | undefined {
    const bytes = Buffer.from(frame, 'base64');
    this.#arrived(t, bytes.length);
    const checked = checkAccept(this.#open, bytes, { ...keys, now: epochMs(t) });
    if (!checked.ok) return checked.code;
    this.#last = checked.last;
    const transcript = transcriptOf(this.#open, bytes);
    if (toHex(transcript) !== told) return 'handshake-signature';
    const { session } = keys;
    if (session === undefined) return 'no-session-keys';
    const replay = (direction: Direction, signer: SigningPublicKey): Replay => {
      const recorded = { signature: new Uint8Array(64) };
      const shared = { direction, key: session[direction], transcript };
      return {
        recorded,
        sender: new FrameSender({ ...shared, signing: { sign: () => recorded.signature } }),
        receiver: new FrameReceiver({ ...shared, role: owner.role, signer }),
      };
    };
    this.#replays = { out: replay('party', keys.party), in: replay('control-plane', checked.controlPlaneKeys.frames) };
    return undefined;
  }

  /** Seals a recorded frame again and reads it. */
  frame(record: JournalRecordOf<'frame'>): ReplayedFrame {
    const { dir, size, t } = record;
    if (dir === 'in') this.#arrived(t, size);
    else this.#sent(t, size);
    const replay = this.#replays?.[dir];
    return replay === undefined ? { ok: false, code: 'no-session-keys' } : replayFrame(replay, record);
  }

  /** Takes what arrived and was refused. */
  refused({ t, size }: JournalRecordOf<'refused'>): void {
    this.#arrived(t, size);
  }

  /** Takes the end; `bytes` when the counts do not fit the frames: all that came in, and a beginning of what went out. */
  disconnect({ t, in: cameIn, out }: JournalRecordOf<'disconnect'>): 'bytes' | undefined {
    this.#to = t;
    this.#handed = out;
    let sum = 0;
    const beginnings = new Set([0, ...this.#out.map((size) => (sum += size))]);
    return cameIn === this.#in && beginnings.has(out) ? undefined : 'bytes';
  }

  /** The account of this connection. */
  summary(): WireConnection {
    return {
      conn: this.conn,
      from: this.#from,
      to: this.#to,
      in: this.#in,
      out: this.#handed ?? this.#out.reduce((sum, size) => sum + size, 0),
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
      closed: this.closed,
    };
  }

  #arrived(t: number, size: number): void {
    this.#to = t;
    this.#in += size;
    this.#framesIn += 1;
  }

  #sent(t: number, size: number): void {
    this.#to = t;
    this.#out.push(size);
    this.#framesOut += 1;
  }
}

function replayFrame({ sender, receiver, recorded }: Replay, record: JournalRecordOf<'frame'>): ReplayedFrame {
  const { n, number, mid, body, sig, size, wire } = record;
  const named = messageOfNumber(number);
  if (named === undefined) return { ok: false, code: 'unknown' };
  if (named.row.signed !== (sig !== undefined))
    return { ok: false, code: named.row.signed ? 'signature-missing' : 'signature-unexpected' };
  if (n !== sender.sequence) return { ok: false, code: 'sequence' };
  recorded.signature = Buffer.from(sig ?? '', 'base64');
  const bytes = sealedBytes(sender, { name: named.name, body } as Message, mid);
  if (bytes === undefined) return { ok: false, code: 'schema' };
  if (bytes.length !== size || sha256Hex(bytes) !== wire) return { ok: false, code: 'wire' };
  const opened = receiver.open(bytes);
  return opened.ok ? { ok: true, opened } : opened;
}

function sealedBytes(sender: FrameSender, message: Message, mid: number): Uint8Array | undefined {
  try {
    return sender.seal(message, mid).bytes;
  } catch {
    return undefined;
  }
}
