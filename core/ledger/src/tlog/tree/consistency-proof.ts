import { EMPTY_ROOT, nodeHash, type MerkleHash } from './merkle-hash.ts';
import { levelOf } from './tree-range.ts';

/** A tree: how many entries, and the hash of them all. */
export interface TreeHead {
  readonly size: number;
  readonly root: MerkleHash;
}

/** Whether `proof` shows that the tree `old` is the beginning of the tree `head` (RFC 9162 §2.1.4.2); never throws. */
export function verifyConsistency(old: TreeHead, head: TreeHead, proof: readonly MerkleHash[]): boolean {
  if (!Number.isSafeInteger(head.size) || old.size > head.size) return false;
  if (old.size === 0) return proof.length === 0 && old.root === EMPTY_ROOT;
  if (old.size === head.size) return proof.length === 0 && old.root === head.root;
  const roots = provenRoots(old.size, head.size, [...(isPowerOfTwo(old.size) ? [old.root] : []), ...proof]);
  return roots?.old === old.root && roots.new === head.root;
}

/**
 * The root that the tree of `head.size` commits to for its first `oldSize` entries, as a consistency proof shows it;
 * undefined when the proof does not lead to `head.root`, or when `oldSize` is a power of two: then the proof leaves that
 * root out. With another root signed for `oldSize` this convicts the log of a fork.
 */
export function committedRoot(oldSize: number, head: TreeHead, proof: readonly MerkleHash[]): MerkleHash | undefined {
  if (!Number.isSafeInteger(head.size) || oldSize >= head.size || isPowerOfTwo(oldSize)) return undefined;
  const roots = provenRoots(oldSize, head.size, proof);
  return roots?.new === head.root ? roots.old : undefined;
}

interface ProvenRoots {
  readonly old: MerkleHash;
  readonly new: MerkleHash;
}

function provenRoots(oldSize: number, size: number, path: readonly MerkleHash[]): ProvenRoots | undefined {
  const [first, ...rest] = path;
  if (first === undefined || !Number.isSafeInteger(oldSize) || oldSize < 1) return undefined;
  let [place, last] = [oldSize - 1, size - 1];
  while (place % 2 === 1) [place, last] = up(place, last);
  let [before, after] = [first, first];
  for (const hash of rest) {
    if (last === 0) return undefined;
    if (place % 2 === 1 || place === last) {
      before = nodeHash(hash, before);
      after = nodeHash(hash, after);
      while (place % 2 === 0 && place !== 0) [place, last] = up(place, last);
    } else after = nodeHash(after, hash);
    [place, last] = up(place, last);
  }
  return last === 0 ? { old: before, new: after } : undefined;
}

function up(place: number, last: number): [number, number] {
  return [Math.floor(place / 2), Math.floor(last / 2)];
}

function isPowerOfTwo(size: number): boolean {
  return levelOf(size) !== undefined;
}
