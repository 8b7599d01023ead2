import { jsonOf } from '@ringfence/base';
import { z } from 'zod';
import type { TokenCount } from './openai-usage.ts';

/** What an answer counts at least when its caller left it and had not said how long it may become. */
const UNDECLARED_OUT = 256;
/** Bytes of a request for each token of its prompt: about what tokenisers make of English text. */
const BYTES_A_TOKEN = 4;

const count = z.int().min(0).max(1e9).nullish();
const asked = z.object({
  max_tokens: count,
  max_completion_tokens: count,
  n: z.int().min(1).max(128).nullish(),
  stream: z.boolean().nullish(),
  input: z.unknown().optional(),
});

/**
 * What a request whose caller left its answer before the end counts against its token's limit: what was seen of it, and at least its
 * prompt by its length. Of an answer that does not stream nothing is seen before its end, so it counts as long as the request allows it.
 */
export function chargeOfLeft(body: Uint8Array, seen: TokenCount): TokenCount {
  const parsed = asked.safeParse(jsonOf(body));
  const request = parsed.success ? parsed.data : undefined;
  const whole = request?.stream === true || request?.input !== undefined ? 0 : answerOf(request);
  return { in: Math.max(seen.in, Math.ceil(body.length / BYTES_A_TOKEN)), out: Math.max(seen.out, whole) };
}

function answerOf(request: z.infer<typeof asked> | undefined): number {
  const most = request?.max_completion_tokens ?? request?.max_tokens ?? UNDECLARED_OUT;
  return most * (request?.n ?? 1);
}
