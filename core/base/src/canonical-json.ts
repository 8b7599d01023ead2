import { utf8 } from './bytes.ts';

/** JSON without fractions: all numbers in signed or framed bytes are safe integers. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The canonical text of `value`: RFC 8785 (JCS) restricted to safe integers and to keys of printable ASCII, so that
 * `json.dumps(sort_keys=True, separators=(",", ":"), ensure_ascii=False)` writes the same bytes. Members that are
 * `undefined` are left out. Throws `TypeError` for anything else, lone surrogates included.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

/** UTF-8 bytes of {@link canonicalJson}. */
export function canonicalBytes(value: unknown): Uint8Array {
  return utf8(canonicalJson(value));
}

const MAX_DEPTH = 64;

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new TypeError('nested too deeply');
  switch (typeof value) {
    case 'string':
      return writeString(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isSafeInteger(value)) throw new TypeError('only safe integers are canonical');
      return Object.is(value, -0) ? '0' : String(value);
    case 'object':
      return value === null ? 'null' : writeObject(value, depth);
    case 'bigint':
    case 'function':
    case 'symbol':
    case 'undefined':
      throw new TypeError(`a ${typeof value} has no canonical form`);
  }
}

function writeObject(value: object, depth: number): string {
  if (Array.isArray(value)) return writeArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('only plain objects are canonical');
  const members = value as Readonly<Record<string, unknown>>;
  let text = '';
  for (const key of sortedKeys(members)) {
    const member = members[key];
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${writeKey(key)}:${write(member, depth + 1)}`;
  }
  return `{${text}}`;
}

function writeArray(items: readonly unknown[], depth: number): string {
  let text = '';
  for (const [index, item] of items.entries()) text += `${index === 0 ? '' : ','}${write(item, depth + 1)}`;
  return `[${text}]`;
}

/** By UTF-16 code units, as RFC 8785 §3.2.3 says; most objects are written in order already. */
function sortedKeys(value: object): string[] {
  const keys = Object.keys(value);
  for (let at = 1; at < keys.length; at += 1)
    if ((keys[at - 1] ?? '') > (keys[at] ?? '')) return keys.toSorted(byCodeUnits);
  return keys;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** Checked and quoted keys; statements and frames use a few dozen of them over and over. */
const quotedKeys = new Map<string, string>();
const MOST_QUOTED_KEYS = 1024;

function writeKey(key: string): string {
  const known = quotedKeys.get(key);
  if (known !== undefined) return known;
  if (!/^[\x20-\x7e]+$/.test(key)) throw new TypeError('keys are printable ASCII');
  const quoted = JSON.stringify(key);
  if (quotedKeys.size < MOST_QUOTED_KEYS) quotedKeys.set(key, quoted);
  return quoted;
}

function writeString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('a lone surrogate has no canonical form');
  return JSON.stringify(text);
}
