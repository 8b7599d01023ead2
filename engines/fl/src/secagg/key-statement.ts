import { concatBytes, equalBytes, utf8 } from '@ringfence/base';
import { sha256, verifySignature, type SigningKey } from '@ringfence/crypto/sign';
import { FlError } from '../fl-error.ts';
import { bigEndian, ByteReader } from './byte-reader.ts';
import type { Round } from './round.ts';

/** What a client says of itself at the beginning of a round. */
export interface RoundKeys {
  readonly attempt: number;
  readonly member: number;
  /** X25519 key that pairwise masks are agreed with. */
  readonly maskKey: Uint8Array;
  /** X25519 key that shares are sealed to. */
  readonly shareKey: Uint8Array;
  /** SHA-256 of this client's part of the beacon. */
  readonly beaconCommitment: Uint8Array;
}

const KIND = utf8('keys\0');
const BEACON = utf8('ringfence/secagg/v1 beacon\0');
const SIGNED_BYTES = 32 + 1 + 2 + 3 * 32;

/** round digest ‖ attempt ‖ member ‖ mask key ‖ share key ‖ commitment ‖ signature of all before. */
export function signStatement(round: Round, keys: RoundKeys, identity: SigningKey): Uint8Array {
  const signed = concatBytes(
    round.digest,
    bigEndian(keys.attempt, 1),
    bigEndian(keys.member, 2),
    keys.maskKey,
    keys.shareKey,
    keys.beaconCommitment,
  );
  return concatBytes(signed, identity.sign('ringfence/secagg/v1', concatBytes(KIND, signed)));
}

/**
 * What a member signed for this round and attempt. Throws FlError `not-on-roster` for no member, `forged-signature`, `inconsistent-model` when it signed other
 * parameters or another model, `replayed-round` for another attempt.
 */
export function openStatement(round: Round, attempt: number, statement: Uint8Array): RoundKeys {
  const reader = new ByteReader(statement);
  const digest = reader.bytes(32);
  const signedAttempt = reader.uint8();
  const member = reader.uint16();
  const [maskKey, shareKey, beaconCommitment] = [reader.bytes(32), reader.bytes(32), reader.bytes(32)];
  const signature = reader.bytes(64);
  reader.end();
  const identity = round.members[member]?.identity;
  if (identity === undefined) throw new FlError('not-on-roster', 'the contract names no such member');
  const signed = concatBytes(KIND, statement.subarray(0, SIGNED_BYTES));
  if (!verifySignature(identity, 'ringfence/secagg/v1', signed, signature))
    throw new FlError('forged-signature', 'the keys are not signed by the member that they are said to be of');
  if (!equalBytes(digest, round.digest))
    throw new FlError('inconsistent-model', 'a member signed another model or other parameters of the round');
  if (signedAttempt !== attempt) throw new FlError('replayed-round', 'the keys are those of another attempt');
  return { attempt, member, maskKey, shareKey, beaconCommitment };
}

/** What a statement says, once {@link openStatement} or a digest of it that was checked has shown that it holds. */
export function beaconCommitmentOf(beacon: Uint8Array): Uint8Array {
  return sha256(concatBytes(BEACON, beacon));
}
