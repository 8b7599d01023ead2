import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { concatBytes, Secret } from '@ringfence/base';
import { x25519Secret } from '@ringfence/crypto/key-agreement';
import { FlError } from '../fl-error.ts';
import {
  commitmentOf,
  decodeShare,
  encodeShare,
  opensCommitment,
  SHARE_BYTES,
  SHARE_COMMITMENT_BYTES,
  type Share,
} from '../sharing/index.ts';
import { bigEndian } from './byte-reader.ts';
import { DEALT_BYTES, SEALED_SHARES_BYTES } from './frames.ts';
import { expand } from './round-secrets.ts';

/** Who seals shares for whom; places on the roster. */
export interface LetterRoute {
  readonly context: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** The own private share key and the other's public one, of whichever side this is. */
  readonly own: KeyObject;
  readonly peer: Uint8Array;
}

/** The two shares that a neighbour holds of a client. */
export interface SharePair {
  readonly self: Share;
  readonly key: Share;
}

const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;
// A letter's key is used once: it follows from the round's keys, the context and the direction.
const NONCE = Buffer.alloc(12);

/** A neighbour's two shares, sealed, and the commitments to the one of the own mask and the one of the key. */
export function sealLetter(route: LetterRoute, pair: SharePair): Uint8Array {
  const [selfCommitment, keyCommitment] = [commitmentOf(pair.self), commitmentOf(pair.key)];
  using plain = new Secret(concatBytes(encodeShare(pair.self), encodeShare(pair.key)));
  using key = letterKey(route);
  const cipher = createCipheriv(CIPHER, key.expose(), NONCE).setAAD(concatBytes(selfCommitment, keyCommitment));
  const parts = [cipher.update(plain.expose()), cipher.final(), cipher.getAuthTag()];
  return concatBytes(...parts, selfCommitment, keyCommitment);
}

/** The shares of a letter; throws FlError `bad-share` unless they are this neighbour's `index`-th and open their commitments. */
export function openLetter(route: LetterRoute, dealt: Uint8Array, index: number): SharePair {
  using plain = new Secret(decipher(route, dealt));
  const pair = {
    self: decodeShare(plain.expose().subarray(0, SHARE_BYTES)),
    key: decodeShare(plain.expose().subarray(SHARE_BYTES)),
  };
  if (
    pair.self.index !== index ||
    pair.key.index !== index ||
    !opensCommitment(pair.self, commitmentIn(dealt, 'self')) ||
    !opensCommitment(pair.key, commitmentIn(dealt, 'key'))
  )
    throw badLetter();
  return pair;
}

/** The commitment in what was dealt to one neighbour. */
export function commitmentIn(dealt: Uint8Array, seed: 'self' | 'key'): Uint8Array {
  const from = SEALED_SHARES_BYTES + (seed === 'self' ? 0 : SHARE_COMMITMENT_BYTES);
  return dealt.subarray(from, from + SHARE_COMMITMENT_BYTES);
}

/** What was dealt to the neighbour with this index, from 1. */
export function dealtTo(dealt: Uint8Array, index: number): Uint8Array {
  return dealt.subarray((index - 1) * DEALT_BYTES, index * DEALT_BYTES);
}

function decipher(route: LetterRoute, dealt: Uint8Array): Uint8Array {
  using key = letterKey(route);
  const body = dealt.subarray(0, SEALED_SHARES_BYTES - TAG_BYTES);
  const opening = createDecipheriv(CIPHER, key.expose(), NONCE, { authTagLength: TAG_BYTES })
    .setAAD(dealt.subarray(SEALED_SHARES_BYTES))
    .setAuthTag(dealt.subarray(body.length, SEALED_SHARES_BYTES));
  using plain = new Secret(opening.update(body));
  try {
    return concatBytes(plain.expose(), opening.final());
  } catch {
    throw badLetter();
  }
}

function letterKey({ context, from, to, own, peer }: LetterRoute): Secret {
  using agreed = new Secret(x25519Secret(own, peer));
  return expand(agreed, concatBytes(context, bigEndian(from, 2), bigEndian(to, 2)), 'share-letter');
}

function badLetter(): FlError {
  return new FlError('bad-share', 'the shares that a neighbour dealt are not what it committed to');
}
