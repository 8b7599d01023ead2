import { splitBelow } from './tree-range.ts';
import type { TreeView } from './tree-view.ts';

/**
 * The first index at which two histories of a log differ, found by about two hashes a level of the tree: where one is the
 * beginning of the other, the size of the shorter; undefined when they are the same.
 */
export function firstDivergence(a: TreeView, b: TreeView): number | undefined {
  const shared = Math.min(a.size, b.size);
  if (a.rootAt(shared) === b.rootAt(shared)) return a.size === b.size ? undefined : shared;
  let [start, end] = [0, shared];
  while (end - start > 1) {
    const middle = start + splitBelow(end - start);
    const left = { start, end: middle };
    if (a.hashOf(left) === b.hashOf(left)) start = middle;
    else end = middle;
  }
  return start;
}
