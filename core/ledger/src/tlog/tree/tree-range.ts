/** Entries `[start, end)` that RFC 6962 hashes as one node: `start` is a multiple of the least power of two ≥ their number. */
export interface TreeRange {
  readonly start: number;
  readonly end: number;
}

/** A complete subtree: entries `[index · 2^level, (index + 1) · 2^level)`. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** The largest power of two below `size`, for `size` ≥ 2 (RFC 6962 §2.1, k). */
export function splitBelow(size: number): number {
  if (size <= 2 ** 31) return 2 ** (31 - Math.clz32(size - 1));
  let power = 2 ** 31;
  while (power * 2 < size) power *= 2;
  return power;
}

/** The level of a complete subtree over `width` entries; undefined unless that is a power of two. */
export function levelOf(width: number): number | undefined {
  const power = splitBelow(width + 1);
  if (power !== width) return undefined;
  return width <= 2 ** 31 ? 31 - Math.clz32(width) : Math.round(Math.log2(width));
}

/** The complete subtrees that make up a range, largest first. */
export function completeSubtrees({ start, end }: TreeRange): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = start; at < end;) {
    let [level, width] = [0, 1];
    while (width * 2 <= end - at) [level, width] = [level + 1, width * 2];
    subtrees.push({ level, index: at / width });
    at += width;
  }
  return subtrees;
}

/** The ranges whose hashes prove entry `index` in a tree of `size`, from the leaf's sibling to the root's child (RFC 6962 §2.1.1). */
export function inclusionRanges(index: number, size: number): TreeRange[] {
  if (!isPosition(index, size)) throw new RangeError('no such entry in this tree');
  return rangesBeside({ start: index, end: index + 1 }, size);
}

/** The siblings on the way from a node of a tree of `size` to its root, from below; throws `RangeError` for a range that is no node of it. */
export function rangesBeside(node: TreeRange, size: number): TreeRange[] {
  const ranges: TreeRange[] = [];
  let [start, end] = [0, size];
  while (end - start > Math.max(1, node.end - node.start)) {
    const middle = start + splitBelow(end - start);
    if (node.start < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  if (start !== node.start || end !== node.end) throw new RangeError('no such node in this tree');
  return ranges.reverse();
}

/** The ranges whose hashes prove that a tree of `oldSize` is the beginning of one of `size` (RFC 6962 §2.1.2). */
export function consistencyRanges(oldSize: number, size: number): TreeRange[] {
  if (!Number.isSafeInteger(size) || !isPosition(oldSize, size + 1)) throw new RangeError('no such older tree');
  if (oldSize === 0) return [];
  const ranges: TreeRange[] = [];
  let [start, end] = [0, size];
  while (oldSize !== end) {
    const middle = start + splitBelow(end - start);
    if (oldSize <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  // The old tree as a whole is what the verifier has already.
  if (start > 0) ranges.push({ start, end });
  return ranges.reverse();
}

function isPosition(index: number, size: number): boolean {
  return Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size;
}
