import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { jsonOf } from '@ringfence/base';
import { errorAnswer } from '@ringfence/protocol/api';
import { ApiRefusal } from '../api/api-refusal.ts';

/** What a custodian’s answer of that status refuses, by its body. */
export function refusal(status: number, value: unknown): ApiRefusal {
  const parsed = errorAnswer.safeParse(value);
  if (!parsed.success) return new ApiRefusal(status, 'unexpected', `the custodian answered with status ${status}`);
  const { code, message, next } = parsed.data.error;
  return new ApiRefusal(status, code, message, next === undefined ? {} : { next });
}

const LONGEST_ERROR = 65_536;

/** The JSON of an error’s body; what is too long is cut off. */
export async function readJson(body: Readable): Promise<unknown> {
  let text = '';
  body.setEncoding('utf8');
  body.on('data', (part: string) => {
    if (text.length < LONGEST_ERROR) text += part;
  });
  await once(body, 'end');
  return jsonOf(text);
}
