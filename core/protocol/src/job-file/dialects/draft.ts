import { toProblem } from '../problem-list.ts';
import type { Tree, TreePath } from '../tree.ts';

/**
 * What becomes of a key that has no equal here. `ignored`: it changes nothing on machines of one's own. `step`: carried, but somebody has to
 * do something first. `needed`: the job would be another one without it.
 */
export type LeftOutEffect = 'ignored' | 'step' | 'needed';

/** One key of another platform's file: where it stands, what becomes of it, and why or what to do. No value of the file is in it. */
export interface LeftOut {
  readonly path: string;
  readonly line: number;
  readonly effect: LeftOutEffect;
  readonly reason: string;
}

/** A value of a job file as it will be written. */
export type DraftValue = string | readonly DraftValue[] | { readonly [key: string]: DraftValue };

/** A job file in the making, and what could not become part of it. */
export class Draft {
  readonly #fields = new Map<string, DraftValue>();
  readonly #sections = new Map<string, Map<string, DraftValue>>();
  readonly left: LeftOut[] = [];

  set(field: string, value: DraftValue): void {
    this.#fields.set(field, value);
  }

  /** Sets `key` of a section such as `resources`; a section that the job file does not have is a note to oneself. */
  put(section: string, key: string, value: DraftValue): void {
    const known = this.#sections.get(section) ?? new Map<string, DraftValue>();
    this.#sections.set(section, known.set(key, value));
  }

  /** What was put under `key` of a section. */
  part(section: string, key: string): string | undefined {
    const value = this.#sections.get(section)?.get(key);
    return typeof value === 'string' ? value : undefined;
  }

  /** Takes a section back out. */
  drop(section: string): void {
    this.#sections.delete(section);
  }

  has(field: string): boolean {
    return this.#fields.has(field) || this.#sections.has(field);
  }

  text(field: string): string | undefined {
    const value = this.#fields.get(field);
    return typeof value === 'string' ? value : undefined;
  }

  leave(path: TreePath, node: { readonly line: number }, effect: LeftOutEffect, reason: string): void {
    const { path: printable } = toProblem({ path, code: 'unknown-key', message: '' });
    this.left.push({ path: printable, line: node.line, effect, reason });
  }

  /** All that was carried, in the order of the job file’s own documentation. */
  value(): Readonly<Record<string, DraftValue>> {
    const sections = [...this.#sections].map(
      ([name, keys]) => [name, name === 'secrets' ? [...keys.keys()] : Object.fromEntries(keys)] as const,
    );
    const all = new Map<string, DraftValue>([...this.#fields, ...sections]);
    return Object.fromEntries(ORDER.flatMap((field) => (all.has(field) ? [[field, all.get(field) ?? '']] : [])));
  }
}

const ORDER = [
  'name',
  'type',
  'image',
  'python',
  'workdir',
  'setup',
  'run',
  'mounts',
  'outputs',
  'resources',
  'nodes',
  'env',
  'secrets',
  'retry',
  'priority',
  'max_duration',
  'service',
];

/** Carries one key of a file into the draft, or leaves it out by name. */
export type Carry = (node: Tree, path: TreePath, draft: Draft) => void;
/** What becomes of each key of a map. */
export type KeyTable = Readonly<Record<string, Carry>>;

/** Carries each key of a map by its row; a key without one is needed, since nobody knows what it does. */
export function carryKeys(table: KeyTable, ofWhom: string): Carry {
  return (node, path, draft) => {
    if (node.kind !== 'map')
      return draft.leave(path, node, 'needed', 'this is not the map of keys that stands here usually');
    for (const { key, line, value } of node.entries) {
      const carry = Object.hasOwn(table, key) ? table[key] : undefined;
      const at = [...path, key];
      if (carry === undefined) draft.leave(at, { line }, 'needed', `no key that is known of ${ofWhom}`);
      else carry(value, at, draft);
    }
  };
}

/** Leaves the key out without harm. */
export function ignored(reason: string): Carry {
  return (node, path, draft) => draft.leave(path, node, 'ignored', reason);
}

/** Leaves the key out, which the job cannot do without. */
export function needed(reason: string): Carry {
  return (node, path, draft) => draft.leave(path, node, 'needed', reason);
}

/** Carries a single value as `into` takes it; when that says no, or for another shape, the key is needed, with `otherwise` as the reason. */
export function textInto(into: (text: string, draft: Draft) => boolean, otherwise: string): Carry {
  return (node, path, draft) => {
    if (node.kind !== 'text' || !into(node.text, draft)) draft.leave(path, node, 'needed', otherwise);
  };
}

/** Carries a single value as it is. */
export function textTo(field: string): Carry {
  return textInto((text, draft) => {
    draft.set(field, text);
    return true;
  }, 'this takes a single value here');
}
