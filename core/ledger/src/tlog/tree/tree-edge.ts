import { EMPTY_ROOT, HASH_BYTES, hashAt, nodeHash, type MerkleHash } from './merkle-hash.ts';
import { joinPeaks, Peaks } from './peaks.ts';
import { levelWidth, TILE_HEIGHT, TILE_WIDTH, type TileCoordinate } from './tile-coordinate.ts';
import { completeSubtrees } from './tree-range.ts';

const FULL_BYTES = TILE_WIDTH * HASH_BYTES;

/** The right edge of a tree: all that appending needs, at most 8 KiB a level however long the log is. */
export interface TreeEdge {
  readonly size: number;
  /** Hashes of the complete subtrees that make up the tree, largest first. */
  readonly peaks: readonly MerkleHash[];
  /** Bytes of the partial tile of each level; empty where the level ends with a full one. */
  readonly partial: readonly Uint8Array[];
}

/** A tile of hashes, or a bundle of entries, that an appended batch made or widened. */
export interface WrittenTile {
  readonly tile: TileCoordinate;
  readonly bytes: Uint8Array;
}

/** The edge of a tree without entries. */
export const EMPTY_EDGE: TreeEdge = { size: 0, peaks: [], partial: [] };

/** The root of the tree (RFC 6962 §2.1). */
export function edgeRoot(edge: TreeEdge): MerkleHash {
  return joinPeaks(edge.peaks) ?? EMPTY_ROOT;
}

/** The edge after `leaves` and the tiles to store for it: each full one, then the partial ones at its end. */
export function appendLeaves(edge: TreeEdge, leaves: Iterable<MerkleHash>): { edge: TreeEdge; tiles: WrittenTile[] } {
  const growth = new Growth(edge);
  for (const leaf of leaves) growth.append(leaf);
  return growth.end();
}

/** The edge of a stored tree of `size` from its partial tiles, whose bytes `read` returns; throws `RangeError` for a wrong number of bytes. */
export function edgeFromTiles(size: number, read: (tile: TileCoordinate) => Uint8Array): TreeEdge {
  const partial: Buffer[] = [];
  for (let level = 0; levelWidth(level, size) > 0; level += 1) {
    const hashes = levelWidth(level, size);
    const width = hashes % TILE_WIDTH;
    const bytes = width === 0 ? Buffer.alloc(0) : read({ level, index: Math.floor(hashes / TILE_WIDTH), width });
    if (bytes.length !== width * HASH_BYTES) throw new RangeError('a tile of this tree has another width');
    partial.push(Buffer.from(bytes));
  }
  const peaks = completeSubtrees({ start: 0, end: size }).map(({ level, index }) => {
    const tile = partial[Math.floor(level / TILE_HEIGHT)];
    const leaves = 2 ** (level % TILE_HEIGHT);
    return subtreeInTile(tile ?? Buffer.alloc(0), (index * leaves) % TILE_WIDTH, leaves);
  });
  return { size, peaks, partial };
}

/** The hash of the complete subtree over `count` hashes of a tile, a power of two, from number `from` on. */
export function subtreeInTile(tile: Buffer, from: number, count: number): MerkleHash {
  if (count === 1) return hashAt(tile, from * HASH_BYTES);
  const half = count / 2;
  return nodeHash(subtreeInTile(tile, from, half), subtreeInTile(tile, from + half, half));
}

/** The hash of a full tile as one node: what its parent tile holds of it. */
export function tileRoot(bytes: Uint8Array): MerkleHash {
  return subtreeInTile(Buffer.from(bytes), 0, TILE_WIDTH);
}

/** A partial tile while a batch goes in: its own room of full width, and how much of it is filled. */
interface GrowingTile {
  readonly room: Buffer;
  filled: number;
}

/** The one mutable thing: an edge while a batch goes in, leaf by leaf. */
class Growth {
  readonly #peaks: Peaks;
  readonly #untouched: readonly Uint8Array[];
  readonly #growing = new Map<number, GrowingTile>();
  readonly #written: WrittenTile[] = [];

  constructor(edge: TreeEdge) {
    this.#peaks = new Peaks(edge.size, edge.peaks);
    this.#untouched = edge.partial;
  }

  append(leaf: MerkleHash): void {
    this.#put(0, leaf);
    this.#peaks.append(leaf, (level, node) => {
      if (level % TILE_HEIGHT === 0) this.#put(level / TILE_HEIGHT, node);
    });
  }

  end(): { edge: TreeEdge; tiles: WrittenTile[] } {
    const { size, hashes } = this.#peaks;
    const partial: Uint8Array[] = [];
    for (let level = 0; levelWidth(level, size) > 0; level += 1) {
      const growing = this.#growing.get(level);
      const bytes = growing?.room.subarray(0, growing.filled) ?? this.#untouched[level] ?? Buffer.alloc(0);
      partial.push(bytes);
      const width = bytes.length / HASH_BYTES;
      const index = (levelWidth(level, size) - width) / TILE_WIDTH;
      if (growing !== undefined && width > 0) this.#written.push({ tile: { level, index, width }, bytes });
    }
    return { edge: { size, peaks: hashes, partial }, tiles: this.#written };
  }

  #put(level: number, hash: MerkleHash): void {
    const tile = this.#growing.get(level) ?? this.#begin(level);
    tile.room.write(hash, tile.filled, HASH_BYTES, 'latin1');
    tile.filled += HASH_BYTES;
    if (tile.filled < FULL_BYTES) return;
    // The leaf that is going in is not in the size yet.
    const index = levelWidth(level, this.#peaks.size + 1) / TILE_WIDTH - 1;
    this.#written.push({ tile: { level, index, width: TILE_WIDTH }, bytes: tile.room });
    this.#growing.set(level, { room: Buffer.alloc(FULL_BYTES), filled: 0 });
  }

  /** A copy: the edge that the batch began with stays as it is. */
  #begin(level: number): GrowingTile {
    const old = this.#untouched[level] ?? Buffer.alloc(0);
    const tile = { room: Buffer.alloc(FULL_BYTES), filled: old.length };
    tile.room.set(old);
    this.#growing.set(level, tile);
    return tile;
  }
}
