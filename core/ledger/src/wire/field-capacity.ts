import { z } from 'zod';
import type { JsonShape } from '@ringfence/protocol';
import { MESSAGES, type MessageName } from '@ringfence/protocol/messages';

/** How much one field of a message could say. */
export interface FieldBits {
  /** Path with list positions: `attempts[0].memory`. */
  readonly path: string;
  /** The same without positions: `attempts[].memory`. */
  readonly field: string;
  readonly bits: number;
}

/** Bits of texts by the pattern that their schema has; anything else counts eight bits a character. */
const TEXT_BITS: readonly (readonly [pattern: RegExp, bits: number])[] = [
  [/^\^\w+_\[a-h\]\[a-z2-7\]\{25\}\$$/, 128],
  [/^\^\[0-9a-f\]\{64\}\$$/, 256],
  [/^\^\[A-Za-z0-9_-\]\{42\}\[\w+\]\$$/, 256],
  [/^\^\(\?:\[A-Z\]\{2\}\|EEA\)\$$/, Math.log2(26 ** 2 + 1)],
  [/^\^\[A-Z0-9-\]\{1,16\}\$$/, Math.log2((37 ** 17 - 37) / 36)],
];

const SHAPES = new Map<MessageName, JsonShape>(
  (Object.keys(MESSAGES) as MessageName[]).map((name) => [name, z.toJSONSchema(MESSAGES[name].schema) as JsonShape]),
);

/**
 * An upper bound, in bits, on what each field of this body could say: the logarithm of how many values its schema allows.
 * Nothing is taken off for fields that others fix; that is the caller's to show.
 */
export function fieldBits(name: MessageName, body: unknown): FieldBits[] {
  const found: FieldBits[] = [];
  const shape = SHAPES.get(name);
  if (shape !== undefined) walk(shape, body, '', found);
  return found;
}

function walk(shape: JsonShape, value: unknown, path: string, found: FieldBits[]): void {
  const choices = shape.oneOf ?? shape.anyOf;
  if (choices !== undefined) return walkChoice(choices, value, path, found);
  if (shape.type === 'object') return walkObject(shape, value, path, found);
  if (shape.type === 'array') return walkArray(shape, value, path, found);
  push(found, path, leafBits(shape));
}

function walkChoice(choices: readonly JsonShape[], value: unknown, path: string, found: FieldBits[]): void {
  push(found, path, Math.log2(choices.length));
  const nested = choices.find((choice) => choice.type === 'object');
  if (nested !== undefined && typeof value === 'object' && value !== null) {
    const fitting = choices.find((choice) => choice.type === 'object' && hasSameConstants(choice, value));
    return walk(fitting ?? nested, value, path, found);
  }
  push(found, path, Math.max(...choices.filter((choice) => choice.type !== 'object').map(leafBits)));
}

function walkObject(shape: JsonShape, value: unknown, path: string, found: FieldBits[]): void {
  const members = new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  for (const [key, field] of Object.entries(shape.properties ?? {})) {
    const here = path === '' ? key : `${path}.${key}`;
    if (shape.required?.includes(key) !== true) push(found, here, 1);
    if (members.get(key) !== undefined) walk(field, members.get(key), here, found);
  }
}

function walkArray(shape: JsonShape, value: unknown, path: string, found: FieldBits[]): void {
  const items: unknown[] = Array.isArray(value) ? value : [];
  push(found, `${path}.length`, Math.log2((shape.maxItems ?? 65_535) - (shape.minItems ?? 0) + 1));
  items.forEach((item, index) => walk(shape.items ?? {}, item, `${path}[${index}]`, found));
}

function leafBits(shape: JsonShape): number {
  if (shape.const !== undefined || shape.type === 'null') return 0;
  if (shape.enum !== undefined) return Math.log2(shape.enum.length);
  if (shape.type === 'boolean') return 1;
  if (shape.type === 'integer') return Math.log2((shape.maximum ?? 2 ** 53) - (shape.minimum ?? -(2 ** 53)) + 1);
  const { pattern = '', maxLength = 8_192 } = shape;
  return TEXT_BITS.find(([known]) => known.test(pattern))?.[1] ?? 8 * maxLength;
}

function hasSameConstants(shape: JsonShape, value: object): boolean {
  const members = new Map<string, unknown>(Object.entries(value));
  return Object.entries(shape.properties ?? {}).every(
    ([key, field]) => field.const === undefined || field.const === members.get(key),
  );
}

function push(found: FieldBits[], path: string, bits: number): void {
  if (bits > 0) found.push({ path, field: path.replaceAll(/\[\d+\]/g, '[]'), bits });
}
