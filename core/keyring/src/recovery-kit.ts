import { Secret, type Rng } from '@ringfence/base';
import { SigningKey, sha256 } from '@ringfence/crypto/sign';
import type { RecoveryRule } from './chain/entries.ts';
import { KeyringError } from './keyring-error.ts';

/** Recovery keys, one for each person who keeps one, and the rule that genesis names. */
export interface RecoveryKit {
  readonly recovery: { readonly threshold: number; readonly keys: RecoveryRule['keys'][number][] };
  readonly keys: readonly SigningKey[];
}

const PREFIX = 'rfk1';
const SEED_BYTES = 32;
const CHECK_BYTES = 3;
/** RFC 4648 §6 in lower case: no 0, 1, 8 or 9 to mistake for letters. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const LETTERS = ((SEED_BYTES + CHECK_BYTES) * 8) / 5;

/**
 * `count` fresh recovery keys of which any `threshold` together outrank the root. They are independent keys, not shares of
 * one: nothing has to be put together on one machine. Throws KeyringError `bad-recovery` unless 1 ≤ threshold ≤ count ≤ 16
 * and threshold ≤ 7.
 */
export function makeRecoveryKit(rng: Rng, { threshold, count }: { threshold: number; count: number }): RecoveryKit {
  const sane = [threshold, count].every(Number.isSafeInteger) && threshold >= 1 && threshold <= 7;
  if (!sane || threshold > count || count > 16) {
    throw new KeyringError('bad-recovery', 'recovery takes one to seven of at most sixteen keys');
  }
  const keys = Array.from({ length: count }, () => SigningKey.generate(rng));
  return { recovery: { threshold, keys: keys.map(({ publicKey }) => publicKey) }, keys };
}

/** A recovery key as it is printed: `rfk1-` and 14 groups of four letters, the last of which check the others. */
export function printRecoveryKey(key: SigningKey): Secret {
  const seed = key.seed().expose();
  const bytes = Buffer.concat([seed, checkOf(seed)]);
  const letters = toBase32(bytes);
  for (const part of [seed, bytes]) part.fill(0);
  return new Secret(Buffer.from([PREFIX, ...(letters.match(/.{4}/g) ?? [])].join('-')));
}

/**
 * The key that somebody typed back from paper; case, spaces and dashes do not matter. Throws KeyringError
 * `bad-recovery-key`, which says what is wrong and repeats nothing.
 */
export function parseRecoveryKey(text: string): SigningKey {
  const letters = text.slice(0, 256).toLowerCase().replaceAll(/[\s-]/g, '');
  if (!letters.startsWith(PREFIX)) throw unreadable('a recovery key begins with rfk1');
  const body = letters.slice(PREFIX.length);
  if (!/^[a-z2-7]*$/.test(body)) throw unreadable('a recovery key has the letters a to z and the digits 2 to 7 only');
  if (body.length !== LETTERS) throw unreadable(`a recovery key has ${LETTERS / 4} groups of four letters after rfk1`);
  const bytes = fromBase32(body);
  const seed = bytes.subarray(0, SEED_BYTES);
  try {
    if (Buffer.compare(checkOf(seed), bytes.subarray(SEED_BYTES)) === 0) return SigningKey.fromSeed(new Secret(seed));
  } finally {
    bytes.fill(0);
  }
  throw unreadable('the recovery key does not match its check letters');
}

function checkOf(seed: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([Buffer.from('ringfence/recovery-key/v1\0'), seed])).subarray(0, CHECK_BYTES);
}

function toBase32(bytes: Uint8Array): string {
  let text = '';
  let pending = 0;
  let bits = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((pending >> (bits - 5)) & 31);
    pending &= (1 << bits) - 1;
  }
  return text;
}

function fromBase32(text: string): Uint8Array {
  const bytes: number[] = [];
  let pending = 0;
  let bits = 0;
  for (const letter of text) {
    pending = (pending << 5) | ALPHABET.indexOf(letter);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push(pending >> bits);
      pending &= (1 << bits) - 1;
    }
  }
  return Uint8Array.from(bytes);
}

function unreadable(problem: string): KeyringError {
  return new KeyringError('bad-recovery-key', problem, { next: 'type the key again from the printed kit' });
}
