import { concatBytes } from '@ringfence/base';
import { encodeBundle, splitBundle } from './entry-bundle.ts';
import { leafHash, type MerkleHash } from './merkle-hash.ts';
import { TILE_WIDTH } from './tile-coordinate.ts';
import { appendLeaves, EMPTY_EDGE, type TreeEdge, type WrittenTile } from './tree-edge.ts';

/** The right edge of a log: that of its tree, and its last bundle while that is partial. */
export interface LogEdge {
  readonly tree: TreeEdge;
  readonly bundle: Uint8Array;
}

/** The edge of a log without entries. */
export const EMPTY_LOG: LogEdge = { tree: EMPTY_EDGE, bundle: new Uint8Array(0) };

/** What a batch of entries makes of a log. */
export interface AppendedBatch {
  readonly edge: LogEdge;
  /** Entry bundles and tiles of hashes to store, all of them before the checkpoint of the new size is signed. */
  readonly tiles: readonly WrittenTile[];
  /** Hashes of the new entries, in order. */
  readonly leaves: readonly MerkleHash[];
}

/** Appends a batch; throws `RangeError` for an entry of more than 65,535 bytes, and then nothing was appended. */
export function appendEntries(edge: LogEdge, entries: readonly Uint8Array[]): AppendedBatch {
  const leaves = entries.map((entry) => leafHash(entry));
  const grown = appendLeaves(edge.tree, leaves);
  const tiles: WrittenTile[] = [];
  let { bundle } = edge;
  for (let [from, at] = [0, edge.tree.size]; from < entries.length;) {
    const room = TILE_WIDTH - (at % TILE_WIDTH);
    const part = entries.slice(from, from + room);
    bundle = concatBytes(bundle, encodeBundle(part));
    const width = (at % TILE_WIDTH) + part.length;
    tiles.push({ tile: { level: 'entries', index: Math.floor(at / TILE_WIDTH), width }, bytes: bundle });
    if (width === TILE_WIDTH) bundle = new Uint8Array(0);
    [from, at] = [from + part.length, at + part.length];
  }
  return { edge: { tree: grown.edge, bundle }, tiles: [...tiles, ...grown.tiles], leaves };
}

/** Whether a bundle read back from storage holds what the edge of its tree says. */
export function fitsEdge({ tree, bundle }: LogEdge): boolean {
  const width = tree.size % TILE_WIDTH;
  const entries = splitBundle(bundle);
  const hashes = tree.partial[0] ?? new Uint8Array(0);
  if (entries?.length !== width) return false;
  return Buffer.from(entries.map((entry) => leafHash(entry)).join(''), 'latin1').equals(hashes);
}
