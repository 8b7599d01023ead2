import { createHash } from 'node:crypto';
import { Secret, utf8, type Brand, type MemberId, type Rng } from '@ringfence/base';
import type { Decision } from '../decision.ts';

/** What lies in the table in place of a recovery code: 64 hexadecimal digits. */
export type RecoveryCodeDigest = Brand<string, 'RecoveryCodeDigest'>;

/** How many codes a member gets at once; new ones void the old ones. */
export const RECOVERY_CODES = 10;

const PREFIX = 'rfb1';
/** Above the 112 bits that a plain digest at rest asks for (OWASP ASVS 5.0, V6.5.2), and whole letters. */
const CODE_BYTES = 15;
/** Codes of before, good until they are spent or drawn anew. */
const EARLIER_CODE_BYTES = 10;
const CHECK_LETTERS = 4;
/** RFC 4648 §6 in lower case: no 0, 1, 8 or 9 to mistake for letters. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** A fresh recovery code: 120 random bits. */
export function makeRecoveryCode(rng: Rng): Secret {
  return new Secret(rng.bytes(CODE_BYTES));
}

/** A code as it is shown once: `rfb1-` and seven groups of four letters, the last of which checks the others. */
export function printRecoveryCode(code: Secret): Secret {
  if (code.length !== CODE_BYTES) throw new RangeError('a recovery code has 120 bits');
  const letters = lettersOf(code.expose(), lettersFor(CODE_BYTES));
  const groups = `${letters}${checkOf(code.expose())}`.match(/.{4}/g) ?? [];
  return new Secret(utf8([PREFIX, ...groups].join('-')));
}

/**
 * The code that somebody typed; case, spaces and dashes do not matter, and the prefix may be left out. `slip`: its check letters say that it
 * was copied wrongly, which counts as no try.
 */
export function readRecoveryCode(text: string): Decision<'no-code' | 'slip', { readonly code: Secret }> {
  if (text.length > 128) return { allow: false, reasons: ['no-code'] };
  const plain = text.toLowerCase().replaceAll(/[\s-]/g, '');
  const body = plain.startsWith(PREFIX) ? plain.slice(PREFIX.length) : plain;
  const letters = body.slice(0, -CHECK_LETTERS);
  const length = [CODE_BYTES, EARLIER_CODE_BYTES].find((each) => lettersFor(each) === letters.length);
  if (length === undefined || !/^[a-z2-7]*$/.test(body)) return { allow: false, reasons: ['no-code'] };
  const bytes = bytesOf(letters, length);
  if (checkOf(bytes) !== body.slice(-CHECK_LETTERS)) return { allow: false, reasons: ['slip'] };
  return { allow: true, code: new Secret(bytes) };
}

/**
 * The digest that lies in the table, bound to its member: SHA-256 is enough for 120 random bits; codes of before have 80, below the 112 that are asked
 * for, until their member draws new ones. The caller spends it by one
 * `UPDATE … WHERE spent_at IS NULL RETURNING`, so no code is compared with another in a process.
 */
export function recoveryCodeDigest(member: MemberId, code: Secret): RecoveryCodeDigest {
  const hash = createHash('sha256').update(`ringfence/recovery-code/v1\0${member}\0`).update(code.expose());
  return hash.digest('hex') as RecoveryCodeDigest;
}

/** Against slips of copying alone; it tells 20 bits of a digest that nothing else uses. */
function checkOf(bytes: Uint8Array): string {
  const digest = createHash('sha256').update('ringfence/recovery-code-check/v1\0').update(bytes).digest();
  return lettersOf(digest.subarray(0, 5), 8).slice(0, CHECK_LETTERS);
}

/** Letters of five bits each for so many bytes. */
function lettersFor(bytes: number): number {
  return (bytes * 8) / 5;
}

function lettersOf(bytes: Uint8Array, length: number): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let place = 0; place < length; place += 1) {
    text = ALPHABET.charAt(Number(bits & 31n)) + text;
    bits >>= 5n;
  }
  return text;
}

function bytesOf(letters: string, length: number): Uint8Array {
  let bits = 0n;
  for (const letter of letters) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(letter));
  const bytes = new Uint8Array(length);
  for (let place = length - 1; place >= 0; place -= 1) {
    bytes[place] = Number(bits & 255n);
    bits >>= 8n;
  }
  return bytes;
}
