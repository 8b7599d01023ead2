import { jsonOf, RingfenceError } from '@ringfence/base';
import type { StreamedResponse } from '@ringfence/client/payload-link';
import { errorAnswer } from '@ringfence/protocol/api';
import { CliError } from '../cli-error.ts';

/** A refusal is short. */
const LONGEST_REFUSAL = 65_536;

/** What a device is told that may not see something made of confidential or restricted data; `kinds` are those of a standing rule. */
export function notReleased(kinds: string, message: string): CliError {
  return new CliError('not-released', message, {
    next: `its owner lets it be seen: \`ringfence release rule add DATASET --allow ${kinds}\`; \`ringfence release ls\` says what is released`,
  });
}

/** Whether an error says that the data's owner has released nothing. */
export function isUnreleased(error: unknown): boolean {
  return error instanceof RingfenceError && error.code === 'not-released';
}

/** Whether the custodian's refusal is the reason, whatever the agent said: nothing is released, or no role of the device permits it. */
export function saysWhy(error: unknown): boolean {
  return isUnreleased(error) || (error instanceof RingfenceError && error.code === 'not-authorised');
}

/** Reads an agent's refusal to its end. Throws CliError `not-released` when that is what it says. */
export async function refuseUnreleased({ status, body }: StreamedResponse, kinds: string): Promise<void> {
  if (status !== 403) return void body.destroy();
  let text = '';
  for await (const part of body) {
    text += String(part);
    if (text.length > LONGEST_REFUSAL) break;
  }
  const parsed = errorAnswer.safeParse(jsonOf(text));
  if (parsed.success && parsed.data.error.code === 'not-released') throw notReleased(kinds, parsed.data.error.message);
}
