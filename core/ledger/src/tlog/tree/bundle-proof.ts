import type { TreeHead } from './consistency-proof.ts';
import { decodeBundle } from './entry-bundle.ts';
import { leafHash, nodeHash } from './merkle-hash.ts';
import { TILE_WIDTH } from './tile-coordinate.ts';
import { appendLeaves, edgeRoot, EMPTY_EDGE } from './tree-edge.ts';
import { rangesBeside, type TreeRange } from './tree-range.ts';
import type { TreeView } from './tree-view.ts';

/** The ranges whose hashes, with those of its own entries, make the root: what a bundle of a tree of `size` is proven with. Throws `RangeError` for a bundle outside. */
export function bundleRanges(index: number, size: number): TreeRange[] {
  return rangesBeside(rangeOf(index, size), size);
}

/**
 * The entries of bundle `index` as views of its bytes; undefined unless they lead to the head's root. `beside` gives the hashes of
 * {@link bundleRanges} and need not be trusted. Throws `RangeError` for a bundle outside, LedgerError `broken-ledger` where `beside` holds too little.
 */
export function provenEntries(
  bytes: Uint8Array,
  index: number,
  { head, beside }: { readonly head: TreeHead; readonly beside: Pick<TreeView, 'hashOf'> },
): Uint8Array[] | undefined {
  const own = rangeOf(index, head.size);
  const entries = decodeBundle(bytes, own.end - own.start);
  if (entries === undefined) return undefined;
  let hash = edgeRoot(appendLeaves(EMPTY_EDGE, entries.map(leafHash)).edge);
  for (const range of rangesBeside(own, head.size)) {
    const other = beside.hashOf(range);
    hash = range.start < own.start ? nodeHash(other, hash) : nodeHash(hash, other);
  }
  return hash === head.root ? entries : undefined;
}

function rangeOf(index: number, size: number): TreeRange {
  const start = index * TILE_WIDTH;
  if (!Number.isSafeInteger(start) || start < 0 || start >= size) throw new RangeError('no such bundle in this tree');
  return { start, end: Math.min(start + TILE_WIDTH, size) };
}
