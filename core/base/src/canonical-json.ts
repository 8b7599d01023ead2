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
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('only plain objects are canonical');
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${writeKey(key)}:${write(member, depth + 1)}`).join(',')}}`;
}

function writeKey(key: string): string {
  if (!/^[\x20-\x7e]+$/.test(key)) throw new TypeError('keys are printable ASCII');
  return JSON.stringify(key);
}

function writeString(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError('a lone surrogate has no canonical form');
  return JSON.stringify(text);
}
