import {
  canonicalBytes,
  toBase64Url,
  type AgentId,
  type ControlPlaneId,
  type CustodianId,
  type Rng,
} from '@ringfence/base';
import { INITIATOR_SHARE_BYTES, RESPONDER_SHARE_BYTES } from '@ringfence/crypto/channel';
import type { Envelope } from '@ringfence/crypto/sign';
import { z } from 'zod';
import { bytes32, envelope, idOf } from '../fields.ts';
import { journalPoint } from '../messages/session.ts';
import { readCanonical } from './message-body.ts';
import { refused, type Refused } from './refusal.ts';
import { FRAME_VERSION } from './sealed-header.ts';
import { FRAME_SIZES, SIGNATURE_BYTES, zeroFrom } from './size-class.ts';

/** Bytes of the open frame. */
export const OPEN_BYTES = FRAME_SIZES[1];
/** Bytes of the accept frame. */
export const ACCEPT_BYTES = FRAME_SIZES[2];

const KIND = { open: 1, accept: 2 } as const;
const HEADER_BYTES = 4;

const v = z.literal(1);
const openHead = z.strictObject({
  v,
  nonce: bytes32,
  party: z.union([idOf('agent'), idOf('custodian')]),
  controlPlane: idOf('controlPlane'),
});
const acceptHead = z.strictObject({ v, nonce: bytes32, keys: envelope, last: journalPoint.nullable() });

/** What an open frame says. */
export interface OpenFrame {
  readonly party: AgentId | CustodianId;
  readonly controlPlane: ControlPlaneId;
  /** {@link INITIATOR_SHARE_BYTES} bytes. */
  readonly share: Uint8Array;
}

/** What an accept frame says. */
export interface AcceptFrame {
  /** The `control-plane-keys` statement. */
  readonly keys: Envelope;
  /** The newest point of the party's journal that the control plane has stored. */
  readonly last: z.infer<typeof journalPoint> | null;
  /** {@link RESPONDER_SHARE_BYTES} bytes. */
  readonly share: Uint8Array;
}

/** The party's first frame, {@link OPEN_BYTES} long. */
export function encodeOpen({ party, controlPlane, share }: OpenFrame, rng: Rng): Uint8Array {
  return encode('open', { v: 1, nonce: nonce(rng), party, controlPlane }, share).frame;
}

/** Reads an open frame; refuses `size`, `version`, `kind`, `length`, `head` and `padding`. */
export function decodeOpen(frame: Uint8Array): (OpenFrame & { readonly ok: true }) | Refused {
  const parts = decode('open', frame);
  if (!parts.ok) return parts;
  if (!zeroFrom(frame, parts.end)) return refused('padding');
  const head = openHead.safeParse(parts.head);
  return head.success ? { ...head.data, ok: true, share: parts.share } : refused('head');
}

/** The control plane's first frame, {@link ACCEPT_BYTES} long; `sign` gets the bytes up to the signature. Throws RangeError when `keys` is too long. */
export function encodeAccept(
  { keys, last, share }: AcceptFrame,
  rng: Rng,
  sign: (unsigned: Uint8Array) => Uint8Array,
): Uint8Array {
  const { frame, end } = encode('accept', { v: 1, nonce: nonce(rng), keys, last }, share);
  frame.set(sign(frame.subarray(0, end)), end);
  return frame;
}

/** Reads an accept frame with its signature unchecked; refuses as {@link decodeOpen} does. */
export function decodeAccept(
  frame: Uint8Array,
): (AcceptFrame & { readonly ok: true; readonly unsigned: Uint8Array; readonly signature: Uint8Array }) | Refused {
  const parts = decode('accept', frame);
  if (!parts.ok) return parts;
  const end = parts.end + SIGNATURE_BYTES;
  if (!zeroFrom(frame, end)) return refused('padding');
  const head = acceptHead.safeParse(parts.head);
  if (!head.success) return refused('head');
  const { keys, last } = head.data;
  const unsigned = frame.subarray(0, parts.end);
  return { ok: true, keys, last, share: parts.share, unsigned, signature: frame.subarray(parts.end, end) };
}

const SHAPE = {
  open: { bytes: OPEN_BYTES, share: INITIATOR_SHARE_BYTES, tail: 0 },
  accept: { bytes: ACCEPT_BYTES, share: RESPONDER_SHARE_BYTES, tail: SIGNATURE_BYTES },
} as const;

function encode(kind: keyof typeof KIND, head: unknown, share: Uint8Array): { frame: Buffer; end: number } {
  const shape = SHAPE[kind];
  const text = canonicalBytes(head);
  const end = HEADER_BYTES + text.length + share.length;
  if (share.length !== shape.share) throw new RangeError(`the share of ${kind} has ${shape.share} bytes`);
  if (end + shape.tail > shape.bytes) throw new RangeError(`the head of ${kind} is too long`);
  const frame = Buffer.alloc(shape.bytes);
  frame[0] = FRAME_VERSION;
  frame[1] = KIND[kind];
  frame.writeUInt16BE(text.length, 2);
  frame.set(text, HEADER_BYTES);
  frame.set(share, HEADER_BYTES + text.length);
  return { frame, end };
}

function decode(
  kind: keyof typeof KIND,
  frame: Uint8Array,
): { ok: true; head: unknown; share: Uint8Array; end: number } | Refused {
  const shape = SHAPE[kind];
  if (frame.length !== shape.bytes) return refused('size');
  if (frame[0] !== FRAME_VERSION) return refused('version');
  if (frame[1] !== KIND[kind]) return refused('kind');
  const headEnd = HEADER_BYTES + Buffer.from(frame.buffer, frame.byteOffset, HEADER_BYTES).readUInt16BE(2);
  const end = headEnd + shape.share;
  if (end + shape.tail > frame.length) return refused('length');
  const head = readCanonical(frame.subarray(HEADER_BYTES, headEnd));
  return head === undefined ? refused('head') : { ok: true, head: head.json, share: frame.subarray(headEnd, end), end };
}

function nonce(rng: Rng): string {
  return toBase64Url(rng.bytes(32));
}
