import type { TreeHead } from '../tree/consistency-proof.ts';
import { HASH_BYTES, hashAt, type MerkleHash } from '../tree/merkle-hash.ts';
import { levelWidth, TILE_WIDTH, tileAt, tilePath, type TileCoordinate } from '../tree/tile-coordinate.ts';
import { TileNodes } from '../tree/tile-nodes.ts';
import { edgeFromTiles, edgeRoot, subtreeInTile } from '../tree/tree-edge.ts';
import { TreeView } from '../tree/tree-view.ts';

/** Tiles of hashes that a signed root vouches for, found from the root down. */
export class TrustedTiles {
  readonly #size: number;
  readonly #whole: ReadonlySet<string>;
  readonly #nodes = new TileNodes(Infinity);
  readonly #view: TreeView;

  private constructor(size: number, trusted: ReadonlyMap<string, readonly [TileCoordinate, Buffer]>) {
    this.#size = size;
    this.#whole = new Set(trusted.keys());
    for (const [tile, bytes] of trusted.values()) this.#nodes.add(tile, bytes);
    this.#view = new TreeView(this.#nodes, size);
  }

  /** Those of `tiles`, by path, that the tree `head` consists of; undefined when its right edge, or half of it, is not among them. */
  static of(head: TreeHead, tiles: ReadonlyMap<string, Buffer>): TrustedTiles | undefined {
    // Whoever has the log's key can sign any size: work is bounded by what the export really holds.
    if (tiles.size < head.size / (2 * TILE_WIDTH)) return undefined;
    const trusted = new Map<string, readonly [TileCoordinate, Buffer]>();
    const edge = edgeOf(head.size, tiles, trusted);
    if (edge === undefined || edgeRoot(edge) !== head.root) return undefined;
    for (let level = edge.partial.length - 1; level >= 0; level -= 1)
      for (let index = 0; (index + 1) * TILE_WIDTH <= levelWidth(level, head.size); index += 1) {
        const tile = { level, index, width: TILE_WIDTH };
        const path = tilePath(tile);
        const bytes = tiles.get(path);
        const parent = trusted.get(tilePath(tileAt(level + 1, index, head.size)));
        if (bytes?.length !== TILE_WIDTH * HASH_BYTES || parent === undefined) continue;
        const expected = hashAt(parent[1], (index % TILE_WIDTH) * HASH_BYTES);
        if (subtreeInTile(bytes, 0, TILE_WIDTH) === expected) trusted.set(path, [tile, bytes]);
      }
    return new TrustedTiles(head.size, trusted);
  }

  /** The signed hash of entry `index`; undefined past the end, and where the tile was damaged. */
  leaf(index: number): MerkleHash | undefined {
    if (index >= this.#size) return undefined;
    return this.#nodes.node(0, index);
  }

  /** Whether the tile with entry `index` is there as it was signed. */
  hasTileOf(index: number): boolean {
    return this.#whole.has(tilePath(tileAt(0, index, this.#size)));
  }

  /** The root of the first `size` entries; undefined where a damaged tile is in the way. */
  rootAt(size: number): MerkleHash | undefined {
    if (size > this.#size) return undefined;
    if (this.#nodes.missing([{ start: 0, end: size }], this.#size).length > 0) return undefined;
    return this.#view.rootAt(size);
  }
}

function edgeOf(
  size: number,
  tiles: ReadonlyMap<string, Buffer>,
  trusted: Map<string, readonly [TileCoordinate, Buffer]>,
): ReturnType<typeof edgeFromTiles> | undefined {
  try {
    return edgeFromTiles(size, (tile) => {
      const path = tilePath(tile);
      const bytes = tiles.get(path) ?? Buffer.alloc(0);
      trusted.set(path, [tile, bytes]);
      return bytes;
    });
  } catch {
    return undefined;
  }
}
