import { jsonOf } from '@ringfence/base';
import { z } from 'zod';

/** Paths whose bodies are checked, and what has to be in them; fields that are not named here pass (OpenAI API reference, 2025). */
const text = z.string().max(16_777_216);
const part = z.looseObject({ type: z.string().max(64) });
const message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([text, z.array(part).max(4_096), z.null()]).optional(),
});
const sampling = {
  model: z.string().min(1).max(256),
  max_tokens: z.int().min(0).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  n: z.int().min(1).max(128).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
};
const tokens = z.array(z.int().min(0)).max(1_048_576);
const SHAPES: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  [
    '/v1/chat/completions',
    z.looseObject({
      ...sampling,
      messages: z.array(message).min(1).max(16_384),
      max_completion_tokens: z.int().min(0).nullish(),
    }),
  ],
  [
    '/v1/completions',
    z.looseObject({
      ...sampling,
      prompt: z.union([text, z.array(text).max(4_096), tokens, z.array(tokens).max(4_096)]),
    }),
  ],
  [
    '/v1/embeddings',
    z.looseObject({
      model: sampling.model,
      input: z.union([text, z.array(text).min(1).max(4_096), tokens, z.array(tokens).max(4_096)]),
      dimensions: z.int().min(1).nullish(),
      encoding_format: z.enum(['float', 'base64']).nullish(),
    }),
  ],
]);

/** Whether a body has the shape that its path asks for; `param` names the first field that has not, never a value. */
export type ShapeDecision =
  | { readonly allow: true }
  | { readonly allow: false; readonly reasons: readonly ['not-json' | 'shape']; readonly param: string | null };

/** Whether bodies of `path` (without its query) are checked. */
export function isShaped(path: string): boolean {
  return SHAPES.has(path);
}

/** Checks the body of a request to `path`. */
export function checkShape(path: string, body: Uint8Array): ShapeDecision {
  const shape = SHAPES.get(path);
  if (shape === undefined) return { allow: true };
  const value = jsonOf(body);
  if (value === undefined) return { allow: false, reasons: ['not-json'], param: null };
  const parsed = shape.safeParse(value);
  if (parsed.success) return { allow: true };
  const named = parsed.error.issues[0]?.path.filter((step) => typeof step !== 'symbol').join('.') ?? '';
  return { allow: false, reasons: ['shape'], param: named === '' ? null : named.slice(0, 128) };
}

/** What `GET /v1/models` answers: the endpoint's name, as the one model. */
export function modelList(name: string, createdAt: number): object {
  return { object: 'list', data: [modelOf(name, createdAt)] };
}

/** What `GET /v1/models/NAME` answers. */
export function modelOf(name: string, createdAt: number): object {
  return { id: name, object: 'model', created: Math.floor(createdAt / 1000), owned_by: 'ringfence' };
}
