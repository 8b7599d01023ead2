import { concatBytes, uint64, utf8 } from '@ringfence/base';
import { sha256 } from '@ringfence/crypto/sign';

const DOMAIN = utf8('ringfence-rotation-seed-v1');

/** The public seed of a round's rotation: all that hold the same contract have the same one. `contract` is its digest, 32 bytes. */
export function rotationSeed(contract: Uint8Array, round: number): Uint8Array {
  return sha256(concatBytes(DOMAIN, contract, uint64(round)));
}
