/**
 * A job file before its fields are known: texts, lists and maps. No scalar has a type of its own, so that `1e-3`, `no` and
 * `3.10` stay what the author wrote until a field says how to read them. Spellings of other platforms become Ringfence's by
 * rewriting this tree.
 */
export type Tree = TextNode | ListNode | MapNode | RefusedNode;

/** One scalar; `plain` when it was written without quotes and not as a block. */
export interface TextNode {
  readonly kind: 'text';
  readonly text: string;
  readonly plain: boolean;
  readonly line: number;
}

/** A YAML sequence. */
export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly line: number;
}

/** A YAML mapping in the order of the file, without two equal keys. */
export interface MapNode {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
  readonly line: number;
}

/** One key and its value; `line` is the key's. */
export interface MapEntry {
  readonly key: string;
  readonly line: number;
  readonly value: Tree;
}

/** Something whose problem is already noted; whoever meets it says no more about it. */
export interface RefusedNode {
  readonly kind: 'refused';
  readonly line: number;
}

/** Steps from the root of a tree: keys and indices. */
export type TreePath = readonly (string | number)[];

/** The value of `key` in a map, if `tree` is one that has it. */
export function valueAt(tree: Tree, key: string): Tree | undefined {
  return tree.kind === 'map' ? tree.entries.find((entry) => entry.key === key)?.value : undefined;
}

/** The line of the deepest node or key on `path` that exists. */
export function lineAt(tree: Tree, path: TreePath): number {
  let node = tree;
  let line = tree.line;
  for (const step of path) {
    if (typeof step === 'number') {
      const item = node.kind === 'list' ? node.items[step] : undefined;
      if (item === undefined) return line;
      node = item;
      line = item.line;
    } else {
      const entry = node.kind === 'map' ? node.entries.find(({ key }) => key === step) : undefined;
      if (entry === undefined) return line;
      node = entry.value;
      line = entry.line;
    }
  }
  return line;
}

/** Whether `tree` says nothing: no value at all, `~` or `null`. */
export function isEmpty(tree: Tree): boolean {
  return tree.kind === 'text' && tree.plain && /^(?:~|null|Null|NULL)?$/.test(tree.text);
}
