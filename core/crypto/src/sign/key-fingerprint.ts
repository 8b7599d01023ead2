import { fromBase64Url, toHex, type Brand } from '@ringfence/base';
import { sha256 } from '../digest.ts';
import type { SigningPublicKey } from './signing-key.ts';

/** Names a signing key inside an envelope: the first 16 bytes of the SHA-256 of the raw key, in hexadecimal. */
export type KeyId = Brand<string, 'KeyId'>;

/** The {@link KeyId} of a public key. */
export function keyIdOf(publicKey: SigningPublicKey): KeyId {
  return toHex(sha256(fromBase64Url(publicKey)).subarray(0, 16)) as KeyId;
}

const CONSONANTS = 'bdfghjklmnprstvz';
const VOWELS = 'aiou';
const FINGERPRINT_WORDS = 6;

/**
 * A fingerprint that two people compare aloud: 96 bits of the SHA-256 of the raw key as six pronounceable five-letter
 * words (proquints, D. S. Wilkerson, arXiv:0901.4016), such as `lusab-babad-gutih-tugad-hutis-sudon`.
 */
export function fingerprintWords(publicKey: SigningPublicKey): string {
  const digest = Buffer.from(sha256(fromBase64Url(publicKey)));
  return Array.from({ length: FINGERPRINT_WORDS }, (_, word) => proquint(digest.readUInt16BE(word * 2))).join('-');
}

/** One proquint: the 16 bits of `value` as consonant, vowel, consonant, vowel, consonant. */
export function proquint(value: number): string {
  const consonant = (shift: number): string => CONSONANTS.charAt((value >> shift) & 15);
  const vowel = (shift: number): string => VOWELS.charAt((value >> shift) & 3);
  return consonant(12) + vowel(10) + consonant(6) + vowel(4) + consonant(0);
}
