import { EMPTY_ROOT, nodeHash, type MerkleHash } from './merkle-hash.ts';

/** The complete subtrees that make up a tree, largest first: all that its root needs. Leaves go in one by one. */
export class Peaks {
  readonly #hashes: MerkleHash[];
  #size: number;

  constructor(size = 0, hashes: readonly MerkleHash[] = []) {
    this.#size = size;
    this.#hashes = [...hashes];
  }

  /** How many leaves went in. */
  get size(): number {
    return this.#size;
  }

  /** The hashes, largest subtree first. */
  get hashes(): readonly MerkleHash[] {
    return [...this.#hashes];
  }

  /** The root of the tree (RFC 6962 §2.1). */
  root(): MerkleHash {
    return joinPeaks(this.#hashes) ?? EMPTY_ROOT;
  }

  /** Takes the next leaf; `made` hears of each complete subtree that ends with it, and of its level, from 1 up. */
  append(leaf: MerkleHash, made?: (level: number, hash: MerkleHash) => void): void {
    let node = leaf;
    let level = 0;
    // Each one bit at the end of the old size is a peak that the new leaf completes a pair with.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#hashes.pop();
      if (left === undefined) throw new TypeError('a tree has a peak for each one bit of its size');
      node = nodeHash(left, node);
      level += 1;
      made?.(level, node);
    }
    this.#hashes.push(node);
    this.#size += 1;
  }
}

/** Hashes of complete subtrees, largest first, joined to the hash of the range that they make up; undefined for none. */
export function joinPeaks(peaks: readonly MerkleHash[]): MerkleHash | undefined {
  let joined = peaks.at(-1);
  for (let at = peaks.length - 2; at >= 0; at -= 1) {
    const peak = peaks[at];
    if (peak !== undefined && joined !== undefined) joined = nodeHash(peak, joined);
  }
  return joined;
}
