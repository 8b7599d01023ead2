import { fromBase64Url, toBase64Url, type Brand, type Rng, type Secret } from '@ringfence/base';
import { isEd25519Point } from '../ed25519-point.ts';
import { SigningKey, signOwnEncoding, verifyMessage, type SigningPublicKey } from '../sign/signing-key.ts';

/** An Ed25519 public key that checks signed notes: 32 raw bytes in base64url. It checks nothing else. */
export type NotePublicKey = Brand<string, 'NotePublicKey'>;

/** The public key of 32 raw bytes (RFC 8032 §5.1.5); undefined for another length or a point of small order. */
export function notePublicKey(raw: Uint8Array): NotePublicKey | undefined {
  return isEd25519Point(raw) ? (toBase64Url(raw) as NotePublicKey) : undefined;
}

/** The 32 raw bytes of a public key. */
export function notePublicKeyBytes(key: NotePublicKey): Uint8Array {
  return fromBase64Url(key);
}

/**
 * An Ed25519 key for signed notes (C2SP signed-note): it signs the text of a note as it is, without a domain tag, so that
 * any client of transparency logs can check it. It is a type of its own so that no key of another purpose signs notes.
 */
export class NoteKey {
  readonly publicKey: NotePublicKey;
  readonly #key: SigningKey;

  private constructor(key: SigningKey) {
    this.#key = key;
    // The same 32 bytes, branded for the other purpose.
    this.publicKey = toBase64Url(fromBase64Url(key.publicKey)) as NotePublicKey;
  }

  /** A fresh key. */
  static generate(rng: Rng): NoteKey {
    return new NoteKey(SigningKey.generate(rng));
  }

  /** The key of a stored 32-byte seed, which it copies; throws CryptoError `bad-key` for another length. */
  static fromSeed(seed: Secret): NoteKey {
    return new NoteKey(SigningKey.fromSeed(seed));
  }

  /** The 32-byte seed, for storage at rest; a copy that the caller may wipe. */
  seed(): Secret {
    return this.#key.seed();
  }

  /** The 64-byte signature of a note's text, or of a cosigner's statement about it; no zero byte occurs in either. */
  sign(text: Uint8Array): Uint8Array {
    // Messages of domain-separated signatures hold a zero byte behind the tag: a text with one could be such a message.
    if (text.includes(0)) throw new TypeError('the text of a note holds no zero byte');
    return signOwnEncoding(this.#key, text);
  }

  toJSON(): string {
    return '[secret]';
  }
}

/** Whether `signature` is `publicKey`'s over `text`; never throws. */
export function verifyNoteSignature(publicKey: NotePublicKey, text: Uint8Array, signature: Uint8Array): boolean {
  return verifyMessage(publicKey as string as SigningPublicKey, text, signature);
}
