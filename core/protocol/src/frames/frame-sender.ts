import { canonicalBytes } from '@ringfence/base';
import { sealRecord, type TrafficKey } from '@ringfence/crypto/channel';
import { MESSAGES, type Message, type MessageName } from '../messages/index.ts';
import type { Direction } from './direction.ts';
import { frameHash } from './frame-hash.ts';
import { signFrame, type FrameSigner } from './frame-signature.ts';
import { innerLength, writeInnerFrame } from './inner-frame.ts';
import { sealedHeader } from './sealed-header.ts';
import { classForInner, FRAME_SIZES, innerBytes, longestBody, type SizeClass } from './size-class.ts';

/** A frame ready for the wire, with what a journal keeps of it. */
export interface SealedFrame {
  readonly bytes: Uint8Array;
  readonly sequence: number;
  readonly number: number;
  readonly mid: number;
  /** 64 bytes; undefined for a message that is not signed. */
  readonly signature: Uint8Array | undefined;
}

/** Seals the frames of one direction of one connection; keeps sequence and chain, touches nothing outside. */
export class FrameSender {
  readonly #direction: Direction;
  readonly #key: TrafficKey;
  readonly #transcript: Uint8Array;
  readonly #signing: FrameSigner;
  #chain: Uint8Array;
  #sequence = 0;

  constructor(link: { direction: Direction; key: TrafficKey; transcript: Uint8Array; signing: FrameSigner }) {
    this.#direction = link.direction;
    this.#key = link.key;
    this.#transcript = link.transcript;
    this.#signing = link.signing;
    this.#chain = link.transcript;
  }

  /** The sequence of the next frame. */
  get sequence(): number {
    return this.#sequence;
  }

  /**
   * Seals the next frame. `mid` is the message id, 0 for a transient message. Throws RangeError for a body that is
   * longer than {@link longestBody}, TypeError for one that is not of its schema, and CryptoError `limit-reached`.
   */
  seal({ name, body }: Message, mid: number): SealedFrame {
    const { number, signed, schema } = MESSAGES[name];
    if (!schema.safeParse(body).success) throw new TypeError(`a body of ${name} is not of its schema`);
    const bytes = canonicalBytes(body);
    const end = innerLength(bytes.length, signed);
    const size = sizeOf(name, end);
    const inner = Buffer.alloc(innerBytes(size));
    writeInnerFrame({ number, signed, mid, chain: this.#chain, body: bytes }, inner);
    const signature = signed ? this.#sign(inner.subarray(0, innerLength(bytes.length, false))) : undefined;
    if (signature !== undefined) inner.set(signature, end - signature.length);
    const sequence = this.#sequence;
    const header = sealedHeader(size, sequence);
    const frame = Buffer.concat([header, sealRecord(this.#key, sequence, header, inner)]);
    this.#chain = frameHash(sequence, inner.subarray(0, end));
    this.#sequence += 1;
    return { bytes: frame, sequence, number, mid, signature };
  }

  #sign(inner: Uint8Array): Uint8Array {
    return signFrame(this.#signing, {
      transcript: this.#transcript,
      direction: this.#direction,
      sequence: this.#sequence,
      inner,
    });
  }
}

/** Bytes of the frame that would carry this message; throws RangeError when none does. */
export function frameBytesOf({ name, body }: Message): number {
  // As long as its canonical form, which has the same members in another order.
  return FRAME_SIZES[sizeOf(name, innerLength(Buffer.byteLength(JSON.stringify(body)), MESSAGES[name].signed))];
}

function sizeOf(name: MessageName, inner: number): SizeClass {
  const size = classForInner(inner);
  if (size !== undefined) return size;
  throw new RangeError(`a body of ${name} has at most ${longestBody(MESSAGES[name].signed)} bytes`);
}
