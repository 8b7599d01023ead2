import { concatBytes, uint64, utf8 } from '@ringfence/base';
import { verifyNoteSignature, type NoteKey } from '@ringfence/crypto/note';
import type { NoteSignature } from './signed-note.ts';
import { noteKeyId, type VerifierKey } from './verifier-key.ts';

const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** Whoever signs notes or cosigns checkpoints: a key and the name beside it. */
export interface NoteSigner {
  readonly name: string;
  readonly key: NoteKey;
}

/**
 * A witness's statement that, at `seconds` since 1970, the largest tree that it saw of this log is the one of the
 * checkpoint whose text is `text` (C2SP tlog-cosignature, Ed25519, version 1).
 */
export function cosign({ name, key }: NoteSigner, text: string, seconds: number): NoteSignature {
  return {
    name,
    keyId: noteKeyId(name, 'cosignature', key.publicKey),
    signature: concatBytes(uint64(seconds), key.sign(cosignedMessage(text, seconds))),
  };
}

/** The time of a cosignature in seconds since 1970; undefined unless it is `key`'s over this text. */
export function verifyCosignature(key: VerifierKey, text: string, signature: Uint8Array): number | undefined {
  if (key.type !== 'cosignature' || signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const bytes = Buffer.from(signature);
  const seconds = Number(bytes.readBigUInt64BE());
  // A time past 2^53 would be rounded: no witness's clock reaches it.
  if (!Number.isSafeInteger(seconds)) return undefined;
  const message = cosignedMessage(text, seconds);
  return verifyNoteSignature(key.publicKey, message, bytes.subarray(TIME_BYTES)) ? seconds : undefined;
}

function cosignedMessage(text: string, seconds: number): Uint8Array {
  return utf8(`cosignature/v1\ntime ${seconds}\n${text}`);
}
