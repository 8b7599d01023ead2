import { nodeHash, type MerkleHash } from './merkle-hash.ts';

/** What an inclusion proof is to show: `leaf` is entry number `index` of the tree of `size` entries with this root. */
export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leaf: MerkleHash;
  readonly root: MerkleHash;
}

/** Whether `proof` shows the claim (RFC 9162 §2.1.3.2, hashes of RFC 6962); never throws. */
export function verifyInclusion(claim: InclusionClaim, proof: readonly MerkleHash[]): boolean {
  const { index, size, leaf, root } = claim;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  // Divisions, not shifts: sizes may pass 2^32.
  let [place, last] = [index, size - 1];
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling, hash);
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, Math.floor(last / 2)];
    } else hash = nodeHash(hash, sibling);
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && hash === root;
}
