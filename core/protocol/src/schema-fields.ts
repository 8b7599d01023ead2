import { z } from 'zod';
import type { JsonShape } from './json-shape.ts';

/** One field of a schema: its path, the values it takes in words, and whether it may be absent. */
export interface SchemaField {
  readonly path: string;
  readonly values: string;
  readonly optional: boolean;
}

/** Every field of a strict object schema, in its order, those within others after them; list items are `name[]`. */
export function fieldsOf(schema: z.ZodType): SchemaField[] {
  return fieldsBelow(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonShape, '');
}

function fieldsBelow(shape: JsonShape, path: string): SchemaField[] {
  const choices = shape.oneOf ?? shape.anyOf;
  if (choices !== undefined && choices.every((choice) => choice.type === 'object'))
    return choices.flatMap((choice, index) => fieldsBelow(choice, `${path}(${index + 1}) `));
  const inner = (choices ?? []).find((choice) => choice.type === 'object') ?? shape;
  return Object.entries(inner.properties ?? {}).flatMap(([key, field]) => {
    const here = `${path}${key}`;
    return [
      { path: here, values: valuesOf(field), optional: inner.required?.includes(key) !== true },
      ...fieldsBelow(field.items ?? field, `${here}${field.items === undefined ? '' : '[]'}.`),
    ];
  });
}

function valuesOf(shape: JsonShape): string {
  const choices = shape.oneOf ?? shape.anyOf;
  if (choices !== undefined) return choices.map(valuesOf).join(' or ');
  if (shape.const !== undefined) return `\`${JSON.stringify(shape.const)}\``;
  if (shape.enum !== undefined) return shape.enum.map((value) => `\`${String(value)}\``).join(' ');
  if (shape.type === 'array')
    return `list of ${range(shape.minItems ?? 0, shape.maxItems)}: ${valuesOf(shape.items ?? {})}`;
  if (shape.type === 'string') return textOf(shape);
  if (shape.type === 'integer') return `whole number ${range(shape.minimum, shape.maximum)}`;
  return shape.type ?? 'anything';
}

function textOf({ pattern, minLength, maxLength }: JsonShape): string {
  const length = maxLength === undefined ? '' : ` of ${range(minLength ?? 0, maxLength)} characters`;
  if (pattern?.includes('[0-9a-zA-Z+/]{4}') === true) return `base64${length}`;
  return pattern === undefined ? `text${length}` : `\`${pattern.replaceAll('|', '\\|')}\`${length}`;
}

function range(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum === maximum) return String(maximum);
  return `${minimum ?? ''}…${maximum ?? ''}`;
}
