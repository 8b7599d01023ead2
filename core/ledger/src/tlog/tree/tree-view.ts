import { LedgerError } from '../../ledger-error.ts';
import { EMPTY_ROOT, type MerkleHash } from './merkle-hash.ts';
import { joinPeaks } from './peaks.ts';
import type { TileNodes } from './tile-nodes.ts';
import { completeSubtrees, consistencyRanges, levelOf, type Subtree, type TreeRange } from './tree-range.ts';

/**
 * A tree of one size over tiles that may hold a longer one. Makes proofs; throws LedgerError `broken-ledger` where a tile
 * that it needs is not held ({@link TileNodes.missing} tells which).
 */
export class TreeView {
  readonly size: number;
  readonly #tiles: Pick<TileNodes, 'node'>;
  /** Hashes of ranges that end with the tree: every proof needs one of them, and each takes up to 52 hashes to make. */
  readonly #ragged = new Map<number, MerkleHash>();

  /** The complete subtrees that make up the tree, and where each ends. */
  readonly #peaks: readonly (Subtree & { readonly end: number })[];

  constructor(tiles: Pick<TileNodes, 'node'>, size: number) {
    this.#tiles = tiles;
    this.size = size;
    this.#peaks = completeSubtrees({ start: 0, end: size }).map(({ level, index }) => {
      return { level, index, end: (index + 1) * 2 ** level };
    });
  }

  /** The root of this tree. */
  root(): MerkleHash {
    return this.size === 0 ? EMPTY_ROOT : this.hashOf({ start: 0, end: this.size });
  }

  /** The root of the first `size` entries. */
  rootAt(size: number): MerkleHash {
    if (size === 0) return EMPTY_ROOT;
    if (size > this.size) throw new RangeError('this tree is smaller');
    return this.hashOf({ start: 0, end: size });
  }

  /** Proof that an entry is at `index`: at most 53 hashes (RFC 6962 §2.1.1); throws `RangeError` for an index outside. */
  proveInclusion(index: number): MerkleHash[] {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.size) throw new RangeError('no such entry here');
    const proof: MerkleHash[] = [];
    const around = this.#peaks.findIndex(({ end }) => index < end);
    const peak = this.#peaks[around];
    // Inside the complete subtree that holds the entry each sibling is the other of a pair.
    let place = index;
    for (let level = 0; level < (peak?.level ?? 0); level += 1) {
      proof.push(this.#node(level, place % 2 === 0 ? place + 1 : place - 1));
      place = Math.floor(place / 2);
    }
    if (peak !== undefined && peak.end < this.size) proof.push(this.hashOf({ start: peak.end, end: this.size }));
    for (let at = around - 1; at >= 0; at -= 1) {
      const left = this.#peaks[at];
      if (left !== undefined) proof.push(this.#node(left.level, left.index));
    }
    return proof;
  }

  /** Proof that the tree of `oldSize` is the beginning of this one (RFC 6962 §2.1.2); empty for 0 and for its own size. */
  proveConsistency(oldSize: number): MerkleHash[] {
    return consistencyRanges(oldSize, this.size).map((range) => this.hashOf(range));
  }

  /** The hash of entries `[start, end)` as one node. */
  hashOf(range: TreeRange): MerkleHash {
    if (range.end !== this.size) return this.#join(range);
    const known = this.#ragged.get(range.start);
    if (known !== undefined) return known;
    const made = this.#join(range);
    this.#ragged.set(range.start, made);
    return made;
  }

  #join(range: TreeRange): MerkleHash {
    const level = levelOf(range.end - range.start);
    if (level !== undefined) return this.#node(level, range.start / 2 ** level);
    const joined = joinPeaks(completeSubtrees(range).map(({ level: each, index }) => this.#node(each, index)));
    if (joined === undefined) throw new RangeError('a range holds at least one entry');
    return joined;
  }

  #node(level: number, index: number): MerkleHash {
    const node = this.#tiles.node(level, index);
    if (node === undefined) throw new LedgerError('broken-ledger', 'a tile that this proof needs is not there');
    return node;
  }
}
