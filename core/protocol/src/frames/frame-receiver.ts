import { equalBytes } from '@ringfence/base';
import { openRecord, type TrafficKey } from '@ringfence/crypto/channel';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import type { Message, MessageName } from '../messages/index.ts';
import type { Direction, PartyRole } from './direction.ts';
import { frameHash } from './frame-hash.ts';
import { verifyFrame, type SignedFrame } from './frame-signature.ts';
import { readInnerFrame, type DecodedInnerFrame } from './inner-frame.ts';
import { mayCross, messageOfNumber, readBody, type NamedRow } from './message-body.ts';
import { refused, type Refused } from './refusal.ts';
import { readSealedHeader } from './sealed-header.ts';
import { classForInner, SEALED_HEADER_BYTES } from './size-class.ts';

/** A frame that passed every check. */
export interface OpenedFrame {
  readonly ok: true;
  readonly message: Message;
  readonly sequence: number;
  readonly number: number;
  /** Message id; 0 for a transient message. */
  readonly mid: number;
  /** Credits the budget: an attempt transition. */
  readonly transition: boolean;
  /** Present exactly when the message is one that is signed. */
  readonly signedFrame: SignedFrame | undefined;
}

/** Opens the frames of one direction of one connection. A refused frame changes nothing; the connection ends there. */
export class FrameReceiver {
  readonly #direction: Direction;
  readonly #role: PartyRole;
  readonly #key: TrafficKey;
  readonly #transcript: Uint8Array;
  readonly #signer: SigningPublicKey;
  #chain: Uint8Array;
  #sequence = 0;

  /** `direction` is the sender's; `role` that of the party, whichever side it is on; `signer` the sender's frame key. */
  constructor(link: {
    direction: Direction;
    role: PartyRole;
    key: TrafficKey;
    transcript: Uint8Array;
    signer: SigningPublicKey;
  }) {
    this.#direction = link.direction;
    this.#role = link.role;
    this.#key = link.key;
    this.#transcript = link.transcript;
    this.#signer = link.signer;
    this.#chain = link.transcript;
  }

  /** The sequence that the next frame must have: one above the last frame received. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Checks one frame in the order of docs/protocol/control-link.md and moves on when it is good. */
  open(frame: Uint8Array): OpenedFrame | Refused {
    const header = readSealedHeader(frame);
    if (!header.ok) return header;
    if (header.sequence !== this.#sequence) return refused('sequence');
    const plaintext = this.#decrypt(frame);
    if (plaintext === undefined) return refused('tag');
    const inner = readInnerFrame(plaintext);
    if (!inner.ok) return inner;
    if (classForInner(inner.unpadded.length) !== header.size) return refused('class');
    if (!equalBytes(inner.chain, this.#chain)) return refused('chain');
    return this.#read(inner);
  }

  #decrypt(frame: Uint8Array): Uint8Array | undefined {
    try {
      const header = frame.subarray(0, SEALED_HEADER_BYTES);
      return openRecord(this.#key, this.#sequence, header, frame.subarray(SEALED_HEADER_BYTES));
    } catch {
      return undefined;
    }
  }

  #read(inner: DecodedInnerFrame): OpenedFrame | Refused {
    const named = messageOfNumber(inner.number);
    if (named === undefined) return refused('unknown-message');
    const misplaced = this.#misplaced(named, inner);
    if (misplaced !== undefined) return misplaced;
    const signedFrame = inner.signed ? this.#signedFrame(inner) : undefined;
    if (signedFrame !== undefined && !verifyFrame(this.#signer, signedFrame)) return refused('signature');
    const body = readBody(named, inner.body);
    if (!body.ok) return body;
    const sequence = this.#sequence;
    this.#chain = frameHash(sequence, inner.unpadded);
    this.#sequence += 1;
    const { number, mid } = inner;
    return { ok: true, message: body.message, sequence, number, mid, transition: named.row.transition, signedFrame };
  }

  #misplaced({ name, row }: NamedRow, inner: DecodedInnerFrame): Refused | undefined {
    if (!mayCross(row, this.#direction, this.#role)) return refused('sender');
    if (row.signed !== inner.signed) return refused(row.signed ? 'signature-missing' : 'signature-unexpected');
    if (row.durable !== inner.mid > 0) return refused('message-id');
    return fitsOrder(name, this.#direction, this.#sequence) ? undefined : refused('order');
  }

  #signedFrame(inner: DecodedInnerFrame): SignedFrame {
    return {
      transcript: this.#transcript,
      direction: this.#direction,
      sequence: this.#sequence,
      inner: inner.unsigned,
      signature: inner.signature,
    };
  }
}

/** A party begins with hello, a control plane with welcome or goodbye; neither hello nor welcome comes again. */
export function fitsOrder(name: MessageName, direction: Direction, sequence: number): boolean {
  if (direction === 'party') return (name === 'hello') === (sequence === 0);
  return sequence === 0 ? name === 'welcome' || name === 'goodbye' : name !== 'welcome';
}
