import { concatBytes, utf8 } from '@ringfence/base';
import { notePublicKey, notePublicKeyBytes, type NotePublicKey } from '@ringfence/crypto/note';
import { sha256 } from '@ringfence/crypto/sign';
import { isKeyName } from './signed-note.ts';

/** What a key signs: whole texts of notes, or checkpoints together with a time (C2SP signed-note, signature types). */
export const SIGNATURE_TYPE = { note: 0x01, cosignature: 0x04 } as const;

/** One of {@link SIGNATURE_TYPE}, by name. */
export type SignatureType = keyof typeof SIGNATURE_TYPE;

/** A key that somebody decided to trust, and the name and id that its signature lines carry. */
export interface VerifierKey {
  readonly name: string;
  readonly keyId: number;
  readonly type: SignatureType;
  readonly publicKey: NotePublicKey;
}

/** The verifier key of a public key; throws `TypeError` for a name that no key can have. */
export function verifierKey(name: string, type: SignatureType, publicKey: NotePublicKey): VerifierKey {
  if (!isKeyName(name)) throw new TypeError('a key name has neither white space nor a plus sign');
  return { name, keyId: noteKeyId(name, type, publicKey), type, publicKey };
}

/** First four bytes of SHA-256(name ‖ 0x0A ‖ signature type ‖ public key), big-endian (C2SP signed-note). */
export function noteKeyId(name: string, type: SignatureType, publicKey: NotePublicKey): number {
  const digest = sha256(concatBytes(utf8(`${name}\n`), material(type, publicKey)));
  return Buffer.from(digest).readUInt32BE();
}

/** `name+id+base64(type ‖ public key)`, as logs and witnesses publish it. */
export function formatVerifierKey({ name, keyId, type, publicKey }: VerifierKey): string {
  return `${name}+${hexId(keyId)}+${Buffer.from(material(type, publicKey)).toString('base64')}`;
}

/** The key that `text` spells; undefined for another algorithm, an id that does not fit, or any other text. */
export function parseVerifierKey(text: string): VerifierKey | undefined {
  // A name has no plus sign, base64 may.
  const [, name, base64] = /^([^+]{1,255})\+[0-9a-f]{8}\+([A-Za-z0-9+/]{44})$/.exec(text) ?? [];
  if (name === undefined || base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  const type = (['note', 'cosignature'] as const).find((each) => SIGNATURE_TYPE[each] === bytes[0]);
  const publicKey = notePublicKey(bytes.subarray(1));
  if (type === undefined || publicKey === undefined || !isKeyName(name)) return undefined;
  const key = verifierKey(name, type, publicKey);
  return formatVerifierKey(key) === text ? key : undefined;
}

function material(type: SignatureType, publicKey: NotePublicKey): Uint8Array {
  return concatBytes(Uint8Array.of(SIGNATURE_TYPE[type]), notePublicKeyBytes(publicKey));
}

function hexId(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}
