import { concatBytes, uint64 } from '@ringfence/base';
import { verifySignature, type SigningKey, type SigningPublicKey } from '@ringfence/crypto/sign';
import { DIRECTION_BYTE, type Direction } from './direction.ts';

/** A signed frame apart from its encryption: what a control plane or an auditor keeps as proof of who said what. */
export interface SignedFrame {
  /** SHA-256 of the two handshake frames: names both ends and the connection. */
  readonly transcript: Uint8Array;
  readonly direction: Direction;
  readonly sequence: number;
  /** The inner frame up to the signature. */
  readonly inner: Uint8Array;
  /** 64 bytes of Ed25519. */
  readonly signature: Uint8Array;
}

type Unsigned = Omit<SignedFrame, 'signature'>;

function signedBytes({ transcript, direction, sequence, inner }: Unsigned): Uint8Array {
  return concatBytes(transcript, Uint8Array.of(DIRECTION_BYTE[direction]), uint64(sequence), inner);
}

/** What signs frames: a key, or the signatures of recorded frames when they are sealed again. */
export type FrameSigner = Pick<SigningKey, 'sign'>;

/** The signature of a frame: docs/protocol/control-link.md, "Sealed frame". */
export function signFrame(key: FrameSigner, frame: Unsigned): Uint8Array {
  return key.sign('ringfence/frame/v1', signedBytes(frame));
}

/** Whether a frame's signature is `key`'s. */
export function verifyFrame(key: SigningPublicKey, frame: SignedFrame): boolean {
  return verifySignature(key, 'ringfence/frame/v1', signedBytes(frame), frame.signature);
}
