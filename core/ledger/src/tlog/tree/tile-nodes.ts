import { LedgerError } from '../../ledger-error.ts';
import { HASH_BYTES, hashAt, nodeHash, type MerkleHash } from './merkle-hash.ts';
import { TILE_HEIGHT, TILE_WIDTH, tileAt, type TileCoordinate } from './tile-coordinate.ts';
import { completeSubtrees, type TreeRange } from './tree-range.ts';

/** A tile that is held, and the hashes between it and its parent, made when first asked for. */
interface HeldTile {
  readonly bytes: Buffer;
  readonly width: number;
  nodes: Buffer | undefined;
}

/** More than any index of a tile in a tree whose size is a safe integer. */
const INDICES = 2 ** 46;

/**
 * Tiles in memory, at most `capacity` of them (8 KiB each, 16 KiB once used), the one that was added first dropped first.
 * Nothing here is checked against a checkpoint: a proof made from it is, by whoever verifies the proof.
 */
export class TileNodes {
  /** Of each level, by index: small whole numbers are found faster than the keys of all levels in one map. */
  readonly #levels: Map<number, HeldTile>[] = [];
  /** Which tile was added when, by level and index. */
  readonly #order = new Map<number, readonly [level: number, index: number]>();
  readonly #capacity: number;

  constructor(capacity = 16_384) {
    this.#capacity = capacity;
  }

  /** Holds a tile of hashes; a wider one takes the place of a narrower. Throws LedgerError `broken-ledger` unless its bytes are as wide as it says. */
  add({ level, index, width }: TileCoordinate, bytes: Uint8Array): void {
    if (level === 'entries' || bytes.length !== width * HASH_BYTES)
      throw new LedgerError('broken-ledger', 'a tile has another length than its path says');
    const tiles = (this.#levels[level] ??= new Map());
    if ((tiles.get(index)?.width ?? 0) >= width) return;
    tiles.set(index, { bytes: Buffer.from(bytes), width, nodes: undefined });
    const key = keyOf(level, index);
    this.#order.delete(key);
    this.#order.set(key, [level, index]);
    if (this.#order.size > this.#capacity) this.#dropOldest();
  }

  /** The hash of a complete subtree; undefined when its tile is not held, or not wide enough. */
  node(level: number, index: number): MerkleHash | undefined {
    const height = level % TILE_HEIGHT;
    const across = TILE_WIDTH >> height;
    const tile = this.#levels[(level - height) / TILE_HEIGHT]?.get(Math.floor(index / across));
    const place = index % across;
    if (tile === undefined || (place + 1) << height > tile.width) return undefined;
    if (height === 0) return hashAt(tile.bytes, place * HASH_BYTES);
    tile.nodes ??= innerNodes(tile);
    return hashAt(tile.nodes, (startOf(height) + place) * HASH_BYTES);
  }

  /** The tiles that have to be added before the hashes of `ranges` of a tree of `size` can be computed. */
  missing(ranges: Iterable<TreeRange>, size: number): TileCoordinate[] {
    const missing = new Map<number, TileCoordinate>();
    for (const range of ranges)
      for (const { level: subtreeLevel, index } of completeSubtrees(range)) {
        if (this.node(subtreeLevel, index) !== undefined) continue;
        const level = Math.floor(subtreeLevel / TILE_HEIGHT);
        const tile = tileAt(level, index * 2 ** (subtreeLevel % TILE_HEIGHT), size);
        missing.set(keyOf(level, tile.index), tile);
      }
    return [...missing.values()];
  }

  #dropOldest(): void {
    const oldest = this.#order.entries().next();
    if (oldest.done === true) return;
    const [key, [level, index]] = oldest.value;
    this.#order.delete(key);
    this.#levels[level]?.delete(index);
  }
}

/** The hashes of all complete subtrees inside a tile, height 1 first; a partial tile leaves gaps. */
function innerNodes({ bytes, width }: HeldTile): Buffer {
  const nodes = Buffer.alloc((TILE_WIDTH - 1) * HASH_BYTES);
  let [below, belowStart] = [bytes, 0];
  for (let height = 1; width >> height > 0; height += 1) {
    const start = startOf(height);
    for (let place = 0; place < width >> height; place += 1) {
      const left = (belowStart + 2 * place) * HASH_BYTES;
      const node = nodeHash(hashAt(below, left), hashAt(below, left + HASH_BYTES));
      nodes.write(node, (start + place) * HASH_BYTES, HASH_BYTES, 'latin1');
    }
    [below, belowStart] = [nodes, start];
  }
  return nodes;
}

/** Where the hashes of a height begin: 128 of height 1, then 64 of height 2, and so on. */
function startOf(height: number): number {
  return TILE_WIDTH - (TILE_WIDTH >> (height - 1));
}

function keyOf(level: number, index: number): number {
  return level * INDICES + index;
}
