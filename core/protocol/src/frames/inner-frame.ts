import { refused, type Refused } from './refusal.ts';
import { INNER_HEADER_BYTES, SIGNATURE_BYTES, zeroFrom } from './size-class.ts';

/** Fields of an inner frame, before or after sealing. */
export interface InnerFrame {
  readonly number: number;
  readonly signed: boolean;
  /** Message id: 0 for transient messages. */
  readonly mid: number;
  /** 32 bytes: hash of the frame before. */
  readonly chain: Uint8Array;
  /** Canonical JSON in UTF-8. */
  readonly body: Uint8Array;
}

/** An inner frame that was read, with views into the bytes it was read from. */
export interface DecodedInnerFrame extends InnerFrame {
  readonly ok: true;
  /** Everything up to the signature. */
  readonly unsigned: Uint8Array;
  /** Everything but the padding: what the frame hash covers. */
  readonly unpadded: Uint8Array;
  /** Empty when the frame is not signed. */
  readonly signature: Uint8Array;
}

/** Bytes of an inner frame without padding. */
export function innerLength(bodyBytes: number, signed: boolean): number {
  return INNER_HEADER_BYTES + bodyBytes + (signed ? SIGNATURE_BYTES : 0);
}

/** Writes all but the signature into `target`, which is zero and long enough. */
export function writeInnerFrame(frame: InnerFrame, target: Buffer): void {
  target.writeUInt16BE(frame.number, 0);
  target[2] = frame.signed ? 1 : 0;
  writeSafeUint64(target, frame.mid, 4);
  target.set(frame.chain, 12);
  target.writeUInt16BE(frame.body.length, 44);
  target.set(frame.body, INNER_HEADER_BYTES);
}

/** Reads an inner frame with its padding; refuses `reserved`, `message-id`, `length` and `padding`. */
export function readInnerFrame(bytes: Uint8Array): DecodedInnerFrame | Refused {
  if (bytes.length < INNER_HEADER_BYTES) return refused('length');
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.readUInt8(2);
  if (flags > 1 || view[3] !== 0) return refused('reserved');
  const mid = readSafeUint64(view, 4);
  if (mid === undefined) return refused('message-id');
  const bodyEnd = INNER_HEADER_BYTES + view.readUInt16BE(44);
  const end = flags === 1 ? bodyEnd + SIGNATURE_BYTES : bodyEnd;
  if (end > view.length) return refused('length');
  if (!zeroFrom(view, end)) return refused('padding');
  return {
    ok: true,
    number: view.readUInt16BE(0),
    signed: flags === 1,
    mid,
    chain: view.subarray(12, 44),
    body: view.subarray(INNER_HEADER_BYTES, bodyEnd),
    unsigned: view.subarray(0, bodyEnd),
    unpadded: view.subarray(0, end),
    signature: view.subarray(bodyEnd, end),
  };
}

/** Writes a non-negative safe integer as 8 big-endian bytes. */
export function writeSafeUint64(target: Buffer, value: number, offset: number): void {
  target.writeUInt32BE(Math.floor(value / 0x1_0000_0000), offset);
  target.writeUInt32BE(value % 0x1_0000_0000, offset + 4);
}

/** Reads 8 big-endian bytes; undefined when they exceed the safe integers. */
export function readSafeUint64(source: Buffer, offset: number): number | undefined {
  const high = source.readUInt32BE(offset);
  return high > 0x1f_ffff ? undefined : high * 0x1_0000_0000 + source.readUInt32BE(offset + 4);
}
