import { hkdfSync, type KeyObject } from 'node:crypto';
import { concatBytes, equalBytes, Secret, utf8, type Rng } from '@ringfence/base';
import { rawPublicKey, x25519PrivateKey } from '@ringfence/crypto/key-agreement';
import { sha256 } from '@ringfence/crypto/sign';
import { maskSeed, type MaskSeed } from '../ring/index.ts';
import { bigEndian } from './byte-reader.ts';
import type { Round } from './round.ts';

/** What a client draws for one attempt at a round and keeps to itself; used for nothing else, wiped at the end. */
export interface RoundSecrets {
  /** 32 bytes that the mask key follows from; shared out, so that the masks of a client that drops out can be taken off. */
  readonly keySeed: Secret;
  /** 32 bytes that the client's own mask follows from; shared out, so that it can be taken off when the client stays. */
  readonly selfSeed: Secret;
  /** The private X25519 key that shares are sealed to. */
  readonly shareKey: Secret;
  /** This client's part of the beacon; public once revealed. */
  readonly beacon: Secret;
}

/** The names of {@link RoundSecrets}, in the order that they are stored in; 32 bytes each. */
export const ROUND_SECRETS = ['keySeed', 'selfSeed', 'shareKey', 'beacon'] as const;

const CONTEXT = utf8('ringfence/secagg/v1 context\0');
const SELF = utf8('ringfence/secagg/v1 self\0');

/** Fresh secrets. */
export function drawSecrets(rng: Rng): RoundSecrets {
  const draw = (): Secret => new Secret(rng.bytes(32));
  return { keySeed: draw(), selfSeed: draw(), shareKey: draw(), beacon: draw() };
}

/** Destroys them. */
export function wipeSecrets(secrets: RoundSecrets): void {
  for (const name of ROUND_SECRETS) secrets[name][Symbol.dispose]();
}

/**
 * SHA-256 over the round's digest (contract, round number, model, configuration), the attempt and the root of the roster's keys: whoever was shown another of these
 * derives other masks, which do not cancel.
 */
export function maskContext(round: Round, attempt: number, root: Uint8Array): Uint8Array {
  return sha256(concatBytes(CONTEXT, round.digest, bigEndian(attempt, 1), root));
}

/** The private mask key of its seed (HKDF-SHA256, RFC 5869). */
export function maskKeyOf(keySeed: Secret): KeyObject {
  const scalar = expand(keySeed, new Uint8Array(0), 'mask-key');
  const key = x25519PrivateKey(scalar.expose());
  scalar[Symbol.dispose]();
  return key;
}

/** The public half of the mask key of a seed: what a seed that was put together again is checked against. */
export function maskPublicKeyOf(keySeed: Secret): Uint8Array {
  return rawPublicKey(maskKeyOf(keySeed));
}

/** The seed of a client's own mask. */
export function selfMaskSeed(selfSeed: Secret, context: Uint8Array): MaskSeed {
  return maskSeed(expand(selfSeed, context, 'self-mask'));
}

/** The seed of the mask between two clients, from what their mask keys agree on. */
export function pairMaskSeed(agreed: Secret, context: Uint8Array): MaskSeed {
  return maskSeed(expand(agreed, context, 'pair-mask'));
}

/** What a client publishes of its own mask's seed, which hides it: the seed is 32 random bytes. */
export function seedCommitmentOf(selfSeed: Secret, context: Uint8Array): Uint8Array {
  return sha256(concatBytes(SELF, context, selfSeed.expose()));
}

/** Whether a seed that was put together again is the one committed to. */
export function opensSeedCommitment(selfSeed: Secret, context: Uint8Array, commitment: Uint8Array): boolean {
  return equalBytes(seedCommitmentOf(selfSeed, context), commitment);
}

/** 32 bytes by HKDF-SHA256 (RFC 5869). */
export function expand(secret: Secret, salt: Uint8Array, use: string): Secret {
  return new Secret(new Uint8Array(hkdfSync('sha256', secret.expose(), salt, `ringfence/secagg/v1 ${use}`, 32)));
}
