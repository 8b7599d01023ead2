import { nearestWord } from './nearest.ts';
import type { Finding, ProblemList } from './problem-list.ts';
import { isEmpty, type ListNode, type MapNode, type TextNode, type Tree, type TreePath } from './tree.ts';

/** Where a reader stands and where it notes what is wrong. */
export interface Place {
  readonly path: TreePath;
  readonly problems: ProblemList;
}

/** Turns a tree into a value, or notes why not and returns undefined. */
export type Read<T> = (tree: Tree, place: Place) => T | undefined;
/** The value that `R` reads. */
export type ReadBy<R> = R extends Read<infer T> ? T : never;
/** Readers by key of the job file. */
export type Fields = Readonly<Record<string, Read<unknown>>>;
/** What of `F` was there and right. */
export type Values<F extends Fields> = { readonly [K in keyof F]?: ReadBy<F[K]> };

/** The place of `step` below `place`. */
export function below(place: Place, step: string | number): Place {
  return { ...place, path: [...place.path, step] };
}

/** Notes a problem at `place`. */
export function refuse(place: Place, finding: Omit<Finding, 'path'>): undefined {
  place.problems.note({ path: place.path, ...finding });
  return undefined;
}

const SHAPES = { text: 'a single value', list: 'a list', map: 'a map of keys and values' } as const;

/** `tree` as a node of `kind`; the refusal says which shape belongs here. */
function shaped(tree: Tree, kind: 'text', place: Place): TextNode | undefined;
function shaped(tree: Tree, kind: 'list', place: Place): ListNode | undefined;
function shaped(tree: Tree, kind: 'map', place: Place): MapNode | undefined;
function shaped(tree: Tree, kind: keyof typeof SHAPES, place: Place): Tree | undefined {
  if (tree.kind === kind) return tree;
  if (tree.kind === 'refused') return undefined;
  return refuse(place, { code: 'wrong-shape', message: `this takes ${SHAPES[kind]}` });
}

/** The entries of a map whose keys the author chose; undefined and noted for any other shape. */
export function entriesOf(tree: Tree, place: Place): MapNode['entries'] | undefined {
  return shaped(tree, 'map', place)?.entries;
}

/** A single value as `parse` understands it; `expected` completes "this takes …". */
export function text<T>(parse: (text: string) => T | undefined, expected: string): Read<T> {
  return (tree, place) => {
    const node = shaped(tree, 'text', place);
    if (node === undefined) return undefined;
    const value = parse(node.text);
    return value ?? refuse(place, { code: 'wrong-value', message: `this takes ${expected}` });
  };
}

/** One of `words`. */
export function oneOf<const Word extends string>(words: readonly Word[]): Read<Word> {
  return (tree, place) => {
    const node = shaped(tree, 'text', place);
    if (node === undefined) return undefined;
    const found = words.find((word) => word === node.text);
    if (found !== undefined) return found;
    const message = `this takes one of ${words.join(', ')}`;
    return refuse(place, { code: 'wrong-value', message, nearest: nearestWord(node.text, words) });
  };
}

/** A whole number in [minimum, maximum]. */
export function wholeNumber(minimum: number, maximum: number): Read<number> {
  const message = `this takes a whole number from ${minimum} to ${maximum}`;
  return (tree, place) => {
    const node = shaped(tree, 'text', place);
    if (node === undefined) return undefined;
    if (!/^\d{1,15}$/.test(node.text)) return refuse(place, { code: 'wrong-value', message });
    const value = Number(node.text);
    return value >= minimum && value <= maximum ? value : refuse(place, { code: 'out-of-range', message });
  };
}

/** `true` or `false`, without quotes. */
export const trueOrFalse: Read<boolean> = (tree, place) => {
  const node = shaped(tree, 'text', place);
  if (node === undefined) return undefined;
  if (node.plain && /^(?:true|false)$/.test(node.text)) return node.text === 'true';
  return refuse(place, { code: 'wrong-value', message: 'this takes true or false' });
};

/** A list of different values, from `minimum` to `maximum` of them. */
export function listOf<T>(item: Read<T>, minimum: number, maximum: number): Read<readonly T[]> {
  return (tree, place) => {
    const node = shaped(tree, 'list', place);
    if (node === undefined) return undefined;
    if (node.items.length < minimum || node.items.length > maximum) {
      refuse(place, { code: 'out-of-range', message: `this list takes ${minimum} to ${maximum} entries` });
    }
    const values: T[] = [];
    for (const [index, entry] of node.items.slice(0, maximum).entries()) {
      const value = item(entry, below(place, index));
      if (value === undefined) continue;
      if (values.includes(value)) {
        refuse(below(place, index), { code: 'duplicate-key', message: 'this entry stands in the list twice' });
      }
      values.push(value);
    }
    return values;
  };
}

/**
 * A map with the keys of `fields`; others are refused by name of the nearest, or by what `instead` says of them, and `required` ones must be
 * there.
 */
export function record<F extends Fields>(
  fields: F,
  required: readonly (keyof F & string)[] = [],
  instead: ReadonlyMap<string, string> = new Map(),
): Read<Values<F>> {
  const known = Object.keys(fields);
  return (tree, place) => {
    const node = shaped(tree, 'map', place);
    if (node === undefined) return undefined;
    const read: [string, unknown][] = [];
    const there = new Set<string | undefined>();
    for (const { key, value } of node.entries) {
      const at = below(place, key);
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      there.add(key);
      if (field === undefined) there.add(refuseUnknown(key, { known, instead }, at));
      else if (isEmpty(value))
        refuse(at, { code: 'empty', message: 'this key has no value; give one or leave the key out' });
      else read.push([key, field(value, at)]);
    }
    // A misspelt key is not missing as well.
    for (const key of required.filter((wanted) => !there.has(wanted))) {
      refuse(below(place, key), { code: 'missing', message: 'this key is needed' });
    }
    // Each value came from the reader of its own key.
    return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as Values<F>;
  };
}

function refuseUnknown(
  key: string,
  { known, instead }: { known: readonly string[]; instead: ReadonlyMap<string, string> },
  place: Place,
): string | undefined {
  const better = instead.get(key);
  if (better !== undefined) {
    refuse(place, { code: 'unknown-key', message: `unknown key; write ${better}` });
    return undefined;
  }
  const nearest = nearestWord(key, known);
  const message = nearest === undefined ? `unknown key; known here: ${known.join(', ')}` : 'unknown key';
  refuse(place, { code: 'unknown-key', message, nearest });
  return nearest;
}
