import { readStatement } from '@ringfence/keyring';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { AttemptId } from './attempt-machine.ts';

/** What a lease says it is about: enough to write down that it came; undefined where it does not read. Everything in it is checked before anything is done. */
export function claimOf(lease: MessageBody<'lease'>['lease']): (AttemptId & { readonly ttlMs: number }) | undefined {
  try {
    return readStatement('lease', lease).claimed;
  } catch {
    return undefined;
  }
}
